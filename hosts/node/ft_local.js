'use strict';

const native = require(process.env.FT_LOCAL_ADDON ?? './ft_local.node');

/** What a source returns when there will be no more results. */
const END = Symbol('the end of a source');

// Node 18.18 and 20 have it; an older one takes the name that tools agree on.
const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** Of the classes and with the codes that Node itself has for arguments. */
function wrongType(name, wanted, given) {
  const got = given === null ? 'null' : typeof given;
  const error = new TypeError(`${name} must be ${wanted}, got ${got}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

function outOfRange(name, wanted, given) {
  const error = new RangeError(`${name} must be ${wanted}, got ${given}`);
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}

function checkSize(size) {
  if (typeof size !== 'number') throw wrongType('size', 'a number', size);
  if (!Number.isInteger(size) || size < 1 || size > native.maxSize) {
    throw outOfRange('size', `an integer from 1 to ${native.maxSize}`, size);
  }
  return size;
}

/** Options by name. A bare number would otherwise be an object without any. */
function checkOptions(options, example) {
  if (typeof options !== 'object' || options === null) {
    throw wrongType('options', `an object such as ${example}`, options);
  }
  return options;
}

/** Milliseconds, rounded up to nanoseconds; without a limit if undefined. */
function checkTimeout(timeout) {
  if (timeout === undefined) return -1;
  if (typeof timeout !== 'number') {
    throw wrongType('timeout', 'a number of milliseconds', timeout);
  }
  if (!(timeout >= 0)) throw outOfRange('timeout', '0 or more', timeout);
  const nanoseconds = Math.ceil(timeout * 1e6);
  return nanoseconds > Number.MAX_SAFE_INTEGER ? -1 : nanoseconds;
}

function checkSignal(signal) {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw wrongType('signal', 'an AbortSignal', signal);
  }
  return signal;
}

/** The lease, with a look at what it returns. */
function checked(lease) {
  return (count) => {
    const first = lease(count);
    if (first === undefined || first === null) return undefined;
    const name = 'the first id, which lease returns,';
    const wanted = 'a safe integer from 0 on, or undefined at the end';
    if (typeof first !== 'number') throw wrongType(name, wanted, first);
    if (!Number.isSafeInteger(first) || first < 0 || first > 2 ** 53 - count) {
      throw outOfRange(name, wanted, first);
    }
    return first;
  };
}

/** Whether a loop over results ends with this error, and does not throw it. */
function isOver({ code }) {
  return code === 'ERR_FT_LOCAL_END' || code === 'ERR_FT_LOCAL_CLOSED';
}

/** The results of `load` until there will be no more. */
function* until(load) {
  for (;;) {
    let result;
    try {
      result = load();
    } catch (error) {
      if (isOver(Object(error))) return;
      throw error;
    }
    yield result;
  }
}

/** A function is a source as it is; an iterable is one that ends. */
function sourceOf(source) {
  if (typeof source === 'function') return source;
  if (typeof source?.[Symbol.iterator] !== 'function') {
    throw wrongType('source', 'a function or an iterable', source);
  }
  const iterator = source[Symbol.iterator]();
  return () => {
    const { done, value } = iterator.next();
    return done ? END : value;
  };
}

/**
 * Results of any kind, made up to `size` at a time and handed out one by one, in one thread.
 *
 * What nobody loaded is kept by references that the garbage collector does not look behind: close a
 * batch whose results refer to it.
 */
class Batch {
  #source;
  #objects;

  /** The source is a function, which returns END at its end, or an iterable. */
  constructor(size, source) {
    this.#source = sourceOf(source);
    this.#objects = native.newObjects(checkSize(size));
  }

  /** The next result. What the source throws comes out of the load that ran it. */
  load() {
    return native.loadObject(this.#objects, this.#source, END);
  }

  /** Loads until the source has ended or the batch is closed. `for await` waits for promises. */
  [Symbol.iterator]() {
    return until(() => this.load());
  }

  /** How many results are ready. */
  get length() {
    return native.lengthOfObjects(this.#objects);
  }

  /** Ends the batch: releases what nobody loaded, and later loads fail. */
  close() {
    native.closeObjects(this.#objects);
  }

  [dispose]() {
    this.close();
  }
}

/** Ids on which something waits, so that they are not collected. */
const awaited = new Set();

/** Numbers, each of which goes to one of all the threads that share them. */
class Ids {
  #ids;
  #lease;
  #joined;
  /** What waits, in the order in which it came. */
  #waiters = new Set();
  #listens = false;
  #registered = false;
  /** How many calls are under way for which nothing waits any more. */
  #late = 0;

  /**
   * New ids, made `size` at a time; or those of another thread, by their `token`.
   *
   * They count from 1 on. With `lease`, a function of each thread, the one that finds none left calls
   * `lease(count)`. It returns the first of `count` new ids, or undefined if there are no more.
   */
  constructor(options) {
    const { size, token, lease } = checkOptions(options, '{ size: 64 }');
    if (lease !== undefined && typeof lease !== 'function') {
      throw wrongType('lease', 'a function', lease);
    }
    this.#lease = lease && checked(lease);
    this.#joined = token !== undefined;
    if (!this.#joined) {
      this.#ids = native.newIds(checkSize(size), lease !== undefined);
    } else {
      if (typeof token !== 'number') throw wrongType('token', 'that of other Ids', token);
      if (!Number.isSafeInteger(token)) throw outOfRange('token', 'that of other Ids', token);
      this.#ids = native.joinIds(token, lease !== undefined);
    }
  }

  /** What another thread joins these ids by, while this object is alive. */
  get token() {
    return native.tokenOfIds(this.#ids);
  }

  /**
   * The next id. Blocks the thread while another one runs its lease, for `timeout` milliseconds at
   * most: see loadAsync.
   */
  load(options = {}) {
    const { timeout } = checkOptions(options, '{ timeout: 100 }');
    return native.loadId(this.#ids, this.#lease, checkTimeout(timeout));
  }

  /**
   * A promise of the next id, which does not block the thread while another one runs its lease. A
   * signal (AbortSignal.timeout, for instance) ends the wait, and no id is lost.
   */
  async loadAsync(options = {}) {
    const signal = checkSignal(checkOptions(options, '{ signal }').signal);
    signal?.throwIfAborted();
    if (this.#waiters.size === 0) {
      const id = native.loadIdNow(this.#ids, this.#lease);
      if (id !== undefined) return id;
    }
    return await new Promise((resolve, reject) => {
      const waiter = { resolve, reject, done: () => signal?.removeEventListener('abort', abort) };
      const abort = () => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
        if (this.#waiters.size === 0) this.#rest();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
      if (!this.#registered) this.#register();
    });
  }

  #register() {
    if (!this.#listens) {
      // The native half keeps the function, and with it only what is not collected anyway.
      const self = new WeakRef(this);
      native.listenToIds(this.#ids, () => self.deref()?.#called());
      this.#listens = true;
    }
    awaited.add(this);
    this.#registered = true;
    native.notifyIds(this.#ids);
  }

  /** What comes next for each that waits, in turn, as far as there is something. */
  #serve() {
    for (const waiter of this.#waiters) {
      try {
        const id = native.loadIdNow(this.#ids, this.#lease);
        if (id === undefined) return this.#register();
        waiter.resolve(id);
      } catch (error) {
        waiter.reject(error);
      }
      waiter.done();
      this.#waiters.delete(waiter);
    }
    return this.#rest();
  }

  /** It is worth a try again. */
  #called() {
    if (this.#late > 0) {
      this.#late--;
      return;
    }
    this.#registered = false;
    this.#serve();
  }

  /** Nothing waits any more. What a call was meant for that is under way goes to another waiter. */
  #rest() {
    if (this.#registered && !native.forgetIds(this.#ids)) this.#late++;
    this.#registered = false;
    native.restIds(this.#ids);
    awaited.delete(this);
  }

  /** Loads until there are no more ids or they are closed. */
  [Symbol.iterator]() {
    return until(() => this.load());
  }

  /** The same by loadAsync: `for await (const id of ids)`. */
  async *[Symbol.asyncIterator]() {
    for (;;) {
      let id;
      try {
        id = await this.loadAsync();
      } catch (error) {
        if (isOver(Object(error))) return;
        throw error;
      }
      yield id;
    }
  }

  /** How many ids are ready; a moment later there may be others. */
  get length() {
    return native.lengthOfIds(this.#ids);
  }

  /** Ends the ids for all threads that share them: later loads fail. */
  close() {
    native.closeIds(this.#ids);
  }

  /** Closes ids that this thread made. Those that it joined are others' too. */
  [dispose]() {
    if (!this.#joined) this.close();
  }
}

module.exports = { Batch, END, Ids };
