"""Trajectories of PyTorch's optimisers and rates of its schedulers, in float64: the fixture of a test.

Fifty steps of each optimiser on two fixed problems, at PyTorch's formula with the options written out here:
Rosenbrock's function from (−1.2, 1), which is not convex, and the quadratic ½θᵀAθ − bᵀθ with A = [[3, 1, 0], [1, 2, 0.5], [0, 0.5, 1]],
b = (1, −2, 0.5) from (2, −1, 3). Fifty rates of each scheduler.

    pip install -r requirements.txt
    python first_order.py > ../../crates/optim/tests/fixtures/first_order.json
"""

import json

import torch
from torch.optim import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR, SequentialLR, StepLR

STEPS = 50
torch.set_default_dtype(torch.float64)
A = torch.tensor([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
B = torch.tensor([1.0, -2.0, 0.5])


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def quadratic(x):
    return 0.5 * x @ (A @ x) - B @ x


PROBLEMS = {"rosenbrock": (rosenbrock, [-1.2, 1.0]), "quadratic": (quadratic, [2.0, -1.0, 3.0])}

# Name, class, options on Rosenbrock's function, options on the quadratic.
OPTIMISERS = [
    ("sgd", SGD, dict(lr=1e-3), dict(lr=0.2)),
    ("momentum", SGD, dict(lr=2e-4, momentum=0.9), dict(lr=0.05, momentum=0.8)),
    ("nesterov", SGD, dict(lr=2e-4, momentum=0.9, nesterov=True), dict(lr=0.05, momentum=0.8, nesterov=True)),
    ("adagrad", Adagrad, dict(lr=0.1, eps=1e-10), dict(lr=0.5, eps=1e-10)),
    ("rmsprop", RMSprop, dict(lr=0.01, alpha=0.99, eps=1e-8), dict(lr=0.05, alpha=0.9, eps=1e-8)),
    ("adadelta", Adadelta, dict(lr=1.0, rho=0.9, eps=1e-6), dict(lr=2.0, rho=0.95, eps=1e-3)),
    ("adam", Adam, dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8), dict(lr=0.1, betas=(0.8, 0.95), eps=1e-6)),
    (
        "adamw",
        AdamW,
        dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
        dict(lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3),
    ),
]

# The rate of the optimiser is 1, so that these are factors.
SCHEDULERS = {
    "step": lambda o: StepLR(o, step_size=7, gamma=0.5),
    "cosine": lambda o: CosineAnnealingLR(o, T_max=60, eta_min=0.05),
    "inverse_time": lambda o: LambdaLR(o, lambda s: 1 / (1 + 0.25 * s)),
    "warm_up_cosine": lambda o: SequentialLR(
        o,
        [LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=10), CosineAnnealingLR(o, T_max=60, eta_min=0.05)],
        milestones=[10],
    ),
    "warm_up_step": lambda o: SequentialLR(
        o,
        [LinearLR(o, start_factor=0.25, end_factor=1.0, total_iters=4), StepLR(o, step_size=7, gamma=0.5)],
        milestones=[4],
    ),
}


def trajectory(optimiser, options, problem):
    function, start = PROBLEMS[problem]
    x = torch.tensor(start, requires_grad=True)
    optimiser = optimiser([x], **options)
    path = [x.tolist()]
    for _ in range(STEPS):
        optimiser.zero_grad()
        function(x).backward()
        optimiser.step()
        path.append(x.tolist())
    return path


def rates(scheduler):
    optimiser = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = scheduler(optimiser)
    found = []
    for _ in range(STEPS):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return found


def main():
    rows = []
    for name, optimiser, *options in OPTIMISERS:
        for problem, option in zip(PROBLEMS, options):
            path = trajectory(optimiser, option, problem)
            rows.append({"optimiser": name, "problem": problem, "options": option, "path": path})
    schedules = {name: rates(scheduler) for name, scheduler in SCHEDULERS.items()}
    lines = ",\n".join(json.dumps(row) for row in rows)
    print('{"torch": "%s", "trajectories": [\n%s\n],\n"schedules": {' % (torch.__version__, lines))
    print(",\n".join(f'"{name}": {json.dumps(row)}' for name, row in schedules.items()))
    print("}}")


main()
