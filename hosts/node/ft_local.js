'use strict';

const native = require(process.env.FT_LOCAL_ADDON ?? './ft_local.node');

/**
 * Results of any kind, made up to `size` at a time and handed out one by one, in one thread.
 *
 * What nobody loaded is kept by references that the garbage collector does not look behind: close a
 * batch whose results refer to it.
 */
class Batch {
  #source;
  #objects;
  #closed = false;

  constructor(size, source) {
    if (typeof source !== 'function') throw new TypeError('source is no function');
    this.#source = source;
    this.#objects = native.newObjects(size);
  }

  /** The next result. What the source throws comes out of the load that ran it. */
  load() {
    if (this.#closed) throw new Error('the batch is closed; make another');
    try {
      return native.loadObject(this.#objects, this.#source);
    } finally {
      // The source may have closed the batch, and then have made more.
      if (this.#closed) native.clearObjects(this.#objects);
    }
  }

  /** How many results are ready. */
  get length() {
    return native.lengthOfObjects(this.#objects);
  }

  /** Releases what nobody loaded; later loads fail. */
  close() {
    this.#closed = true;
    native.clearObjects(this.#objects);
  }
}

/** The numbers from 1 on, each of which goes to one of all the threads that share them. */
class Ids {
  #ids;

  /** New ids, made `size` at a time; or those of another thread, by their `token`. */
  constructor({ size, token }) {
    this.#ids = token === undefined ? native.newIds(size) : native.joinIds(token);
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
}

module.exports = { Batch, Ids };
