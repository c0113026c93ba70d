use super::*;
use std::thread;

/// An empty folder of this test alone, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("secant-files-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// Names in the folder, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_new_bytes_replace_the_old_and_nothing_else_is_left() {
    let folder = Folder::new("replace");
    let path = folder.0.join("model");
    for bytes in [&b"a long first version"[..], b"short", b""] {
        write_atomically(&path, bytes).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!(folder.names(), ["model"]);
    }
}

#[test]
fn a_failure_in_the_middle_leaves_the_old_file_and_nothing_beside_it() {
    let folder = Folder::new("full");
    let path = folder.0.join("model");
    write_atomically(&path, b"old").unwrap();
    let full = |file: &mut File| {
        file.write_all(b"half of the n")?;
        Err(io::Error::from(ErrorKind::StorageFull))
    };
    let error = replace(&path, full).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    let message = error.to_string();
    assert!(message.starts_with(&format!("{}: cannot write: ", path.display())), "{message}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(folder.names(), ["model"]);
}

#[test]
fn folders_devices_missing_places_and_read_only_files_are_refused_by_path() {
    let folder = Folder::new("refused");
    fs::create_dir(folder.0.join("folder")).unwrap();
    let locked = folder.0.join("locked");
    fs::write(&locked, b"kept").unwrap();
    let mut permissions = fs::metadata(&locked).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&locked, permissions).unwrap();
    let cases = [
        (folder.0.join("folder"), "is a folder"),
        (locked.clone(), "is read-only"),
        (folder.0.join("missing").join("model"), "cannot create a file beside it: "),
        // A parent that is a file stands for a folder that may not be written, whoever runs the test.
        (locked.join("model"), "cannot create a file beside it: "),
        #[cfg(unix)]
        (PathBuf::from("/dev/null"), "is no ordinary file"),
        (PathBuf::from("/"), "is a folder"),
        (folder.0.join(".."), "is a folder"),
    ];
    for (path, why) in cases {
        let message = write_atomically(&path, b"new").unwrap_err().to_string();
        assert!(message.starts_with(&format!("{}: {why}", path.display())), "{message}");
    }
    assert_eq!(fs::read(&locked).unwrap(), b"kept");
    assert_eq!(folder.names(), ["folder", "locked"]);
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_its_file_is_replaced() {
    let folder = Folder::new("link");
    let (path, link) = (folder.0.join("model"), folder.0.join("link"));
    fs::write(&path, b"old").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    write_atomically(&link, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn unfinished_files_of_dead_processes_go_and_all_else_stays() {
    let folder = Folder::new("abandoned");
    let other = process::id() + 1;
    let dead = folder.0.join(format!(".model.{other}-3{UNFINISHED}"));
    let alive = folder.0.join(format!(".model.{other}-4{UNFINISHED}"));
    let kept = [".model.txt", ".model.a-1.secant-tmp", ".model.b.1-2.secant-tmp", "1-2.secant-tmp"];
    for name in kept {
        fs::write(folder.0.join(name), b"").unwrap();
    }
    fs::write(&dead, b"half").unwrap();
    let writer = File::create(&alive).unwrap();
    writer.try_lock().unwrap();
    write_atomically(folder.0.join("model"), b"new").unwrap();
    assert!(!dead.exists());
    assert!(alive.exists());
    drop(writer);
    write_atomically(folder.0.join("model"), b"newer").unwrap();
    let mut expected = kept.to_vec();
    expected.push("model");
    expected.sort_unstable();
    assert_eq!(folder.names(), expected);
}

#[test]
fn a_name_as_long_as_a_file_system_has_is_written() {
    let folder = Folder::new("long");
    let path = folder.0.join("é".repeat(127));
    write_atomically(&path, b"bytes").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"bytes");
}

#[test]
fn a_reader_sees_one_of_the_files_that_several_threads_write() {
    let folder = Folder::new("threads");
    let path = folder.0.join("model");
    write_atomically(&path, &[0; 4096]).unwrap();
    thread::scope(|scope| {
        let writers: Vec<_> = (1..=3)
            .map(|byte| {
                let path = &path;
                scope.spawn(move || (0..20).try_for_each(|_| write_atomically(path, &[byte; 4096])))
            })
            .collect();
        for _ in 0..200 {
            let found = fs::read(&path).unwrap();
            assert!(found.len() == 4096 && found.iter().all(|byte| *byte == found[0]));
        }
        for writer in writers {
            writer.join().unwrap().unwrap();
        }
    });
    assert_eq!(folder.names(), ["model"]);
}

#[test]
fn whether_a_file_can_be_written_is_known_before_and_leaves_nothing() {
    let folder = Folder::new("check");
    let path = folder.0.join("model");
    check_writable(&path).unwrap();
    assert_eq!(folder.names(), Vec::<String>::new());
    write_atomically(&path, b"old").unwrap();
    check_writable(&path).unwrap();
    assert_eq!((folder.names(), fs::read(&path).unwrap()), (vec!["model".into()], b"old".into()));
    let words = |path: &Path| check_writable(path).unwrap_err().to_string();
    assert!(words(&folder.0).ends_with("is a folder"));
    let nowhere = folder.0.join("no/model");
    assert_eq!(words(&nowhere), write_atomically(&nowhere, b"").unwrap_err().to_string());
}
