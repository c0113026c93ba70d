"use strict";
(() => {
  const tip = document.getElementById("tip");
  let ring = null;

  // What a mark says stands in its title, for readers without scripts; here it is taken out, so that it is not shown twice.
  const said = (element) => {
    const title = element.querySelector("title");
    const text = title.textContent;
    title.remove();
    return text;
  };

  const hide = () => {
    tip.hidden = true;
    if (ring) ring.remove();
    ring = null;
  };

  const show = (svg, mark) => {
    hide();
    tip.textContent = mark.text;
    tip.hidden = false;
    ring = document.createElementNS(svg.namespaceURI, "circle");
    ring.setAttribute("class", "pointed");
    ring.setAttribute("cx", mark.x);
    ring.setAttribute("cy", mark.y);
    ring.setAttribute("r", 7);
    svg.append(ring);
    const at = new DOMPoint(mark.x, mark.y).matrixTransform(svg.getScreenCTM());
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(4, at.x - box.width / 2), innerWidth - box.width - 4);
    const above = at.y - box.height - 12;
    tip.style.left = `${left}px`;
    tip.style.top = `${above < 4 ? at.y + 12 : above}px`;
  };

  for (const svg of document.querySelectorAll("svg.plot")) {
    const title = svg.querySelector(":scope > title");
    if (title) title.remove();
    const marks = [...svg.querySelectorAll(".marks > path, .bars > rect")].map((element) => {
      const box = element.getBBox();
      const [x, y] = element.localName === "path"
        ? element.getAttribute("d").slice(1).split(/[ h]/).map(Number)
        : [box.x + box.width / 2, box.y];
      return { x, y, box: element.localName === "rect" ? box : null, text: said(element) };
    });
    if (!marks.length) continue;
    let chosen = -1;

    const nearest = (event) => {
      const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      let best = -1;
      let least = 26 * 26;
      marks.forEach((mark, i) => {
        const inside = mark.box && p.x >= mark.box.x && p.x <= mark.box.x + mark.box.width && p.y >= mark.box.y;
        const distance = inside ? 600 : (p.x - mark.x) ** 2 + (p.y - mark.y) ** 2;
        if (distance < least) [best, least] = [i, distance];
      });
      return best;
    };
    const point = (event) => {
      chosen = nearest(event);
      if (chosen < 0) hide(); else show(svg, marks[chosen]);
    };
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const last = marks.length - 1;
      const next = {
        ArrowRight: Math.min(chosen + 1, last), ArrowLeft: Math.max(chosen - 1, 0), Home: 0, End: last,
      }[event.key];
      if (event.key === "Escape") hide();
      if (next === undefined) return;
      event.preventDefault();
      chosen = next;
      show(svg, marks[chosen]);
    });
  }
  addEventListener("scroll", hide, { passive: true });

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => {
          const cell = row.cells[column];
          if ("value" in cell.dataset) return Number(cell.dataset.value);
          return ["", "–"].includes(cell.textContent) ? NaN : cell.textContent;
        };
        // Cells without a number stand at the end, whichever way.
        const compare = (a, b) => {
          const [x, y] = [key(a), key(b)];
          if (typeof x === "number" && typeof y === "number") {
            if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
            return x === y ? 0 : (x < y ? -1 : 1) * (down ? -1 : 1);
          }
          if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
          return x.localeCompare(y, "en", { numeric: true }) * (down ? -1 : 1);
        };
        const body = table.tBodies[0];
        body.append(...[...body.rows].sort(compare));
      });
    });
  }

  for (const block of document.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = block.querySelector("code");
      getSelection().selectAllChildren(code);
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        // The text is selected: the reader's own keys copy it.
        button.textContent = "Selected";
      }
    });
    block.append(button);
  }
})();
