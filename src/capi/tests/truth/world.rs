//! A batch with a cursor, a wrapper, and a host and a source that note their callers.

use super::super::*;
use super::watch::{
    BLOCK, FREE_CTX, INTERRUPTED, RELEASE, RETAIN, SOURCE, WAKE, has_no_memory, note,
};
use crate::cursor::*;
use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::sync::atomic::{AtomicBool, AtomicUsize};

/// Which of the two forms of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fill,
    Next,
}

/// How many results fit into the batch: so many that a fill asks whether its thread is interrupted.
pub(super) const SIZE: usize = 80;

/// What the source does when it is called.
pub(super) struct Script {
    made: AtomicUsize,
    /// It ends after so many results.
    pub(super) limit: AtomicUsize,
    /// It fails after so many.
    pub(super) fails_at: AtomicUsize,
    /// So many calls, the next ones, wait until they are let go.
    to_wait: AtomicUsize,
    goes_on: AtomicBool,
    waiting: AtomicUsize,
    /// The next call never comes back.
    dies: AtomicBool,
    is_dead: AtomicBool,
}

pub(super) struct World {
    pub(super) host: ft_local_host,
    pub(super) source: ft_local_source,
    pub(super) script: Box<Script>,
    pub(super) batch: *mut ft_local_batch,
    pub(super) cursor: *mut ft_local_cursor,
    pub(super) wrapper: *mut ft_local_wrapper,
    /// What a call has made.
    pub(super) made: (*mut ft_local_batch, *mut ft_local_cursor, *mut ft_local_wrapper),
    /// The threads that are in the source.
    others: Vec<std::thread::JoinHandle<()>>,
}

unsafe extern "C-unwind" fn retain(object: *mut c_void) -> *mut c_void {
    note(RETAIN);
    object
}

unsafe extern "C-unwind" fn release(_object: *mut c_void) {
    note(RELEASE);
}

unsafe extern "C-unwind" fn block(ctx: *mut c_void, wait: ft_local_wait, arg: *mut c_void) {
    note(BLOCK);
    // SAFETY: the script, which the world keeps.
    unsafe { &*ctx.cast::<Script>() }.goes_on.store(true, Ordering::Release);
    // SAFETY: the library's own function.
    unsafe { wait(arg) };
}

thread_local! {
    static FIBER: Cell<u64> = const { Cell::new(0) };
}

unsafe extern "C-unwind" fn fiber(_ctx: *mut c_void) -> u64 {
    note(SOURCE);
    FIBER.get()
}

unsafe extern "C-unwind" fn free_ctx(_ctx: *mut c_void) {
    note(FREE_CTX);
}

pub(super) unsafe extern "C-unwind" fn wake(_arg: *mut c_void) {
    note(WAKE);
}

unsafe extern "C-unwind" fn interrupted() -> i32 {
    note(INTERRUPTED);
    0
}

unsafe extern "C-unwind" fn next(ctx: *mut c_void) -> *mut c_void {
    note(SOURCE);
    // SAFETY: the script, which the world keeps.
    let script = unsafe { &*ctx.cast::<Script>() };
    if script.dies.swap(false, Ordering::Relaxed) {
        script.is_dead.store(true, Ordering::Release);
        loop {
            std::thread::park();
        }
    }
    let is_one = script
        .to_wait
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if is_one.is_ok() {
        script.waiting.fetch_add(1, Ordering::Release);
        while !script.goes_on.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }
    let stops = [&script.fails_at, &script.limit].map(|stop| stop.load(Ordering::Relaxed));
    let more = |made| (!stops.contains(&made)).then_some(made + 1);
    match script.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
        Ok(made) => std::ptr::without_provenance_mut(16 * (made + 1)),
        Err(_) => null_mut(),
    }
}

unsafe extern "C-unwind" fn ended(ctx: *mut c_void) -> i32 {
    note(SOURCE);
    // SAFETY: the script, which the world keeps.
    let script = unsafe { &*ctx.cast::<Script>() };
    i32::from(script.made.load(Ordering::Relaxed) == script.limit.load(Ordering::Relaxed))
}

unsafe extern "C-unwind" fn fill(
    ctx: *mut c_void,
    out: *mut *mut c_void,
    _capacity: usize,
    produced: *mut usize,
) -> i32 {
    // SAFETY: as in `next`; there is room for at least one.
    unsafe {
        let object = next(ctx);
        if object.is_null() {
            let end = ft_local_status_code::FT_LOCAL_ERR_END as i32;
            return if ended(ctx) != 0 { end } else { 4711 };
        }
        *out = object;
        *produced = 1;
    }
    0
}

impl World {
    pub(super) fn new(kind: Kind, options: ft_local_batch_options) -> Self {
        let script = Box::new(Script {
            made: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
            fails_at: AtomicUsize::new(usize::MAX),
            to_wait: AtomicUsize::new(0),
            goes_on: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            dies: AtomicBool::new(false),
            is_dead: AtomicBool::new(false),
        });
        let ctx = (&raw const *script).cast_mut().cast();
        let mut host = values();
        host.ctx = ctx;
        host.retain_plain = Some(retain);
        host.release_plain = Some(release);
        host.block = Some(block);
        host.interrupted_plain = Some(interrupted);
        let mut source = source();
        host.free_ctx = Some(free_ctx);
        host.fiber = Some(fiber);
        source.ctx = ctx;
        source.free_ctx = Some(free_ctx);
        source.fill = (kind == Kind::Fill).then_some(fill);
        source.next_plain = (kind == Kind::Next).then_some(next);
        source.ended_plain = (kind == Kind::Next).then_some(ended);
        source.ended_ctx = ctx;
        let (mut batch, mut cursor, mut wrapper) = (null_mut(), null_mut(), null_mut());
        let object = std::ptr::without_provenance_mut(8);
        let (from, at) = (&raw const host, &raw const source);
        // SAFETY: all arguments are good.
        let statuses = unsafe {
            [
                ft_local_batch_new_with(from, at, SIZE, &raw const options, &raw mut batch),
                ft_local_cursor_new(batch, &raw mut cursor),
                ft_local_wrapper_new(from, object, &raw mut wrapper),
            ]
        };
        assert_eq!(statuses, [0; 3]);
        Self {
            host,
            source,
            script,
            batch,
            cursor,
            wrapper,
            made: (null_mut(), null_mut(), null_mut()),
            others: Vec::new(),
        }
    }

    /// Loads a result.
    pub(super) fn load(&self) -> *mut c_void {
        let mut object = null_mut();
        // SAFETY: the batch lives.
        assert_eq!(unsafe { ft_local_batch_load(self.batch, &raw mut object) }, 0);
        object
    }

    /// Lets a fiber die in the source, if it gets there, while a waiter is registered, and returns its
    /// number. It is a thread that never leaves the source.
    pub(super) fn let_a_fiber_die(&self) -> u64 {
        const DEAD: u64 = 7;
        if has_no_memory() {
            return DEAD;
        }
        self.script.dies.store(true, Ordering::Relaxed);
        let batch = self.batch.expose_provenance();
        let fiber = std::thread::Builder::new().spawn(move || {
            FIBER.set(DEAD);
            // SAFETY: the batch lives until this thread is in the source, or has ended.
            let _ = unsafe {
                let batch = std::ptr::with_exposed_provenance::<ft_local_batch>(batch);
                ft_local_batch_load_now(batch, &mut null_mut())
            };
        });
        while fiber.as_ref().is_ok_and(|fiber| !fiber.is_finished())
            && !self.script.is_dead.load(Ordering::Acquire)
        {
            std::thread::yield_now();
        }
        // Another thread may be in the source, and is to come back.
        self.script.dies.store(false, Ordering::Relaxed);
        // SAFETY: the batch lives.
        let _ = unsafe { ft_local_batch_notify(self.batch, Some(wake), null_mut(), &mut 0) };
        DEAD
    }

    /// Whether another thread is using the batch.
    pub(super) fn is_shared(&self) -> bool {
        !self.others.is_empty()
    }

    /// Makes so many other threads run the source, and stay there until this one waits for them.
    pub(super) fn let_others_fill(&mut self, count: usize) {
        self.script.to_wait.store(count, Ordering::Relaxed);
        let batch = self.batch.expose_provenance();
        self.others.extend((0..count).map(|_| {
            std::thread::spawn(move || {
                // SAFETY: the batch lives until this thread was joined.
                let status = unsafe {
                    let batch = std::ptr::with_exposed_provenance::<ft_local_batch>(batch);
                    ft_local_batch_load(batch, &mut null_mut())
                };
                assert!(status <= 0);
            })
        }));
        while self.script.waiting.load(Ordering::Acquire) < count {
            std::thread::yield_now();
        }
    }

    pub(super) fn let_the_others_end(&mut self) {
        self.script.goes_on.store(true, Ordering::Release);
        self.others.drain(..).for_each(|other| other.join().unwrap());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.let_the_others_end();
        // SAFETY: freed once: a call that frees a handle sets it to NULL.
        unsafe {
            ft_local_cursor_free(self.cursor);
            ft_local_wrapper_free(self.wrapper);
            ft_local_batch_free(self.batch);
            ft_local_batch_free(self.made.0);
            ft_local_cursor_free(self.made.1);
            ft_local_wrapper_free(self.made.2);
        }
    }
}
