//! What is refused, and in which words.

use ft_local::{Batch, Iter, LoadError, MAX_FILLERS, MAX_SIZE, Native, NewError, Options};
use std::time::Duration;

type Numbers = Native<usize>;

fn made(size: usize, options: Options) -> Option<NewError> {
    Batch::with_options(Numbers::new(), Iter(0..), size, options).err()
}

fn fillers(count: usize) -> Option<NewError> {
    Batch::with_fillers(Numbers::new(), vec![Iter(0..9); count], 4, Options::default()).err()
}

#[test]
fn settings_are_refused_by_name_and_number() {
    let mark = Options { low_mark: 9, ..Options::default() };
    let cases = [
        (made(0, Options::default()), "the size must be between 1 and 1073741824, got 0"),
        (
            made(MAX_SIZE + 1, Options::default()),
            "the size must be between 1 and 1073741824, got 1073741825",
        ),
        (made(8, mark), "the low mark must not be above the size 8, got 9"),
        (fillers(0), "there must be between 1 and 256 sources, got 0"),
        (fillers(MAX_FILLERS + 1), "there must be between 1 and 256 sources, got 257"),
    ];
    for (refused, text) in cases {
        assert_eq!(refused.expect(text).to_string(), text);
    }
    assert_eq!(made(8, Options { low_mark: 8, ..Options::default() }), None);
}

#[test]
fn loads_say_what_has_happened() {
    let closed = Batch::new(Numbers::new(), Iter(0..), 4).unwrap();
    closed.close().unwrap();
    let refused = closed.load_within(Duration::ZERO).unwrap_err();
    assert_eq!(refused.to_string(), "the batch was closed");
    let ended = Batch::new(Numbers::new(), Iter(0..0), 4).unwrap();
    let text = "the source has ended, and all that it made was handed out";
    assert_eq!(ended.load().unwrap_err().to_string(), text);
    let failing = Batch::new(Numbers::new(), || Err("no connection"), 4).unwrap();
    let failed: LoadError<&str> = failing.load().unwrap_err();
    assert_eq!(failed.to_string(), "the source failed: no connection");
    assert_eq!(failing.try_load(), Ok(None));
}
