//! Every input that fuzzing has found interesting, or wrong, keeps its promises: what `tests/fuzz/run` asks, without a fuzzer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

#[path = "../fuzz/properties/mod.rs"]
mod properties;

/// For a debug build on a busy machine; fuzzing itself allows a second of processor time.
const BUDGET: Duration = Duration::from_secs(20);

fn kept(target: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_input_that_fuzzing_kept_keeps_its_promises() {
    for (target, holds) in properties::TARGETS {
        let files = kept(target);
        assert!(files.len() >= 5, "the corpus of {target} is lost");
        for file in &files {
            let started = Instant::now();
            let input = std::fs::read(file).unwrap();
            let held = std::panic::catch_unwind(|| holds(&input));
            assert!(held.is_ok(), "does not hold: {}", file.display());
            assert!(started.elapsed() < BUDGET, "{} took {:?}", file.display(), started.elapsed());
        }
        println!("{target}: {} inputs", files.len());
    }
}

#[test]
fn what_is_fuzzed_is_what_is_held_here() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let mut programs: Vec<_> = std::fs::read_dir(folder.join("targets")).unwrap().map(|f| f.unwrap().path()).collect();
    programs.sort();
    let names: Vec<_> = programs.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, properties::TARGETS.map(|(name, _)| name));
    for (path, name) in programs.iter().zip(&names) {
        assert!(std::fs::read_to_string(path).unwrap().contains(&format!("hold(\"{name}\"")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
