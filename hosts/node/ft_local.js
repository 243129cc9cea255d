'use strict';

const native = require(process.env.FT_LOCAL_ADDON ?? './ft_local.node');

function checkSize(size) {
  if (typeof size !== 'number') {
    throw new TypeError(`size must be a number, got ${typeof size}`);
  }
  if (!Number.isInteger(size) || size < 1 || size > native.maxSize) {
    throw new RangeError(`size must be an integer from 1 to ${native.maxSize}, got ${size}`);
  }
  return size;
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

  constructor(size, source) {
    if (typeof source !== 'function') throw new TypeError('source must be a function');
    this.#source = source;
    this.#objects = native.newObjects(checkSize(size));
  }

  /** The next result. What the source throws comes out of the load that ran it. */
  load() {
    return native.loadObject(this.#objects, this.#source);
  }

  /** How many results are ready. */
  get length() {
    return native.lengthOfObjects(this.#objects);
  }

  /** Ends the batch: releases what nobody loaded, and later loads fail. */
  close() {
    native.closeObjects(this.#objects);
  }
}

/** The numbers from 1 on, each of which goes to one of all the threads that share them. */
class Ids {
  #ids;

  /** New ids, made `size` at a time; or those of another thread, by their `token`. */
  constructor({ size, token }) {
    if (token === undefined) {
      this.#ids = native.newIds(checkSize(size));
    } else {
      if (!Number.isSafeInteger(token)) throw new TypeError('token must be that of other Ids');
      this.#ids = native.joinIds(token);
    }
  }

  /** What another thread joins these ids by, while this object is alive. */
  get token() {
    return native.tokenOfIds(this.#ids);
  }

  /** The next id. */
  load() {
    return native.loadId(this.#ids);
  }

  /** How many ids are ready; a moment later there may be others. */
  get length() {
    return native.lengthOfIds(this.#ids);
  }

  /** Ends the ids for all threads that share them: later loads fail. */
  close() {
    native.closeIds(this.#ids);
  }
}

module.exports = { Batch, Ids };
