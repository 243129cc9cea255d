'use strict';

// Objects in one thread, counted by the collector, and ids in many, with their sum.

const assert = require('node:assert');
const { randomUUID } = require('node:crypto');
const { setImmediate: turn } = require('node:timers/promises');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { Batch, END, Ids } = require('./ft_local.js');

const SIZE = 64;
const LOADS = 100001;
const WORKERS = 4;

/** Makes GUIDs and remembers each weakly: what a collection leaves is what is referred to. */
class Maker {
  made = [];
  #calls = 0;

  constructor(failsEvery) {
    this.failsEvery = failsEvery;
  }

  make = () => {
    if (++this.#calls % this.failsEvery === 0) throw new RangeError(`call ${this.#calls}`);
    const guid = { text: randomUUID() };
    this.made.push(new WeakRef(guid));
    return guid;
  };

  /** What a turn of the event loop has looked at stays alive until its end. */
  async alive() {
    await turn();
    globalThis.gc();
    return this.made.filter((each) => each.deref() !== undefined).length;
  }
}

function loadMany(guids) {
  const seen = new Set();
  while (seen.size < LOADS) {
    try {
      const { text } = guids.load();
      assert(!seen.has(text), 'handed out twice');
      seen.add(text);
    } catch (error) {
      assert(error instanceof RangeError, error);
    }
  }
}

async function eachGuidIsHandedOutOnce() {
  const maker = new Maker(1001);
  const guids = new Batch(SIZE, maker.make);
  loadMany(guids);
  const made = maker.made.length;
  const left = guids.length;
  assert(left > 0);
  assert.strictEqual(made, LOADS + left);
  assert.strictEqual(await maker.alive(), left);
  guids.close();
  assert.strictEqual(await maker.alive(), 0);
  return `made ${made} = delivered ${LOADS} + left ${left}, 0 alive`;
}

async function aForgottenBatchIsFreedThoughItsSourceKnowsIt() {
  const maker = new Maker(1001);
  (() => {
    const batch = new Batch(SIZE, () => batch && maker.make());
    batch.load();
  })();
  assert.strictEqual(maker.made.length, SIZE);
  // Finalizers run in a later turn; if they never do, the script ends the test.
  while ((await maker.alive()) > 0);
}

async function anErrorOfTheSourceReachesItsLoad() {
  const maker = new Maker(2);
  const guids = new Batch(4, maker.make);
  assert.throws(() => guids.load(), { name: 'RangeError', message: 'call 2' });
  assert.strictEqual(guids.length, 1);
  assert.strictEqual(guids.load(), maker.made[0].deref());
}

async function anyValueCanBeAResult() {
  const values = [undefined, null, false, 1n, 'text', Symbol('one'), 2.5];
  const left = [...values];
  const batch = new Batch(values.length, () => left.shift());
  assert.deepStrictEqual(values.map(() => batch.load()), values);
}

async function sourcesMayLoadFromOtherBatchesButNotTheirOwn() {
  const numbers = new Batch(1, () => 20);
  const doubled = new Batch(3, () => 2 * numbers.load() + 2);
  assert.strictEqual(doubled.load(), 42);
  assert.strictEqual(doubled.length, 2);
  const errors = [];
  const own = new Batch(2, () => {
    try {
      return own.load();
    } catch (error) {
      return errors.push(error.message);
    }
  });
  assert.deepStrictEqual([own.load(), own.load()], [1, 2]);
  assert.match(errors[1], /source/);
}

async function aSourceMayCloseItsBatch() {
  let calls = 0;
  const closing = new Batch(1000, () => {
    closing.close();
    return ++calls;
  });
  assert.strictEqual(closing.load(), 1);
  assert.strictEqual(closing.length, 0);
  assert.throws(() => closing.load(), /closed/);
  assert.strictEqual(calls, 1);
}

async function aSourceMayThrowAnything() {
  const overflow = () => 1 + overflow();
  for (const thrown of [undefined, null, 0, 'text', new Error('an error'), overflow]) {
    let calls = 0;
    const batch = new Batch(4, () => {
      if (++calls !== 2) return calls;
      if (thrown === overflow) overflow();
      throw thrown;
    });
    let caught = 'nothing';
    try {
      batch.load();
    } catch (error) {
      caught = error;
    }
    if (thrown === overflow) assert(caught instanceof RangeError);
    else assert.strictEqual(caught, thrown);
    assert.strictEqual(batch.load(), 1);
    assert.strictEqual(batch.load(), 3);
  }
}

/** What is refused, and in which words. */
async function badUseIsNamed() {
  const outOfRange = (message) => ({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message });
  const wrongType = (message) => ({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message });
  const source = () => 1;
  for (const size of [0, -1, 1.5, NaN, Infinity, 2 ** 31, 2 ** 70]) {
    const error = outOfRange(`size must be an integer from 1 to 1073741824, got ${size}`);
    assert.throws(() => new Batch(size, source), error);
    assert.throws(() => new Ids({ size }), error);
  }
  for (const [size, got] of [['1', 'string'], [1n, 'bigint'], [null, 'null'], [{}, 'object']]) {
    const error = wrongType(`size must be a number, got ${got}`);
    assert.throws(() => new Batch(size, source), error);
    assert.throws(() => new Ids({ size }), error);
  }
  for (const [given, got] of [[undefined, 'undefined'], [null, 'null'], [1, 'number'], [{}, 'object']]) {
    const error = wrongType(`source must be a function or an iterable, got ${got}`);
    assert.throws(() => new Batch(1, given), error);
  }
  const ids = new Ids({ size: 4 });
  for (const [options, got] of [[undefined, 'undefined'], [null, 'null'], [64, 'number']]) {
    const error = wrongType(`options must be an object such as { size: 64 }, got ${got}`);
    assert.throws(() => new Ids(options), error);
  }
  assert.throws(() => new Ids({ size: 1, lease: 1 }), wrongType('lease must be a function, got number'));
  assert.throws(() => new Ids({ token: 'one' }), wrongType('token must be that of other Ids, got string'));
  assert.throws(() => new Ids({ token: 1.5 }), outOfRange('token must be that of other Ids, got 1.5'));
  const unknown = 'token must be that of Ids that a thread has, got 12345';
  assert.throws(() => new Ids({ token: 12345 }), outOfRange(unknown));
  for (const timeout of [-1, NaN, -Infinity]) {
    const error = outOfRange(`timeout must be 0 or more, got ${timeout}`);
    assert.throws(() => ids.load({ timeout }), error);
  }
  for (const [timeout, got] of [['1', 'string'], [null, 'null'], [1n, 'bigint']]) {
    const error = wrongType(`timeout must be a number of milliseconds, got ${got}`);
    assert.throws(() => ids.load({ timeout }), error);
  }
  const bare = 'options must be an object such as { timeout: 100 }, got number';
  assert.throws(() => ids.load(100), wrongType(bare));
  const signal = 'signal must be an AbortSignal, got number';
  await assert.rejects(ids.loadAsync({ signal: 1 }), wrongType(signal));
  assert.strictEqual(ids.load({ timeout: Infinity }), 1);
  assert.strictEqual(ids.load({ timeout: 0.0001 }), 2);
  const own = new Batch(1, () => own.load());
  const itself = { code: 'ERR_FT_LOCAL_REENTRANT', message: /loads what it is to make itself/ };
  assert.throws(() => own.load(), itself);
  for (const each of [new Batch(1, source), ids]) {
    each.close();
    each.close();
    assert.throws(() => each.load(), { name: 'Error', code: 'ERR_FT_LOCAL_CLOSED', message: /closed/ });
  }
  await assert.rejects(ids.loadAsync(), { code: 'ERR_FT_LOCAL_CLOSED' });
}

async function aSourceEndsByReturningEndOrAsAnIterable() {
  const end = { code: 'ERR_FT_LOCAL_END' };
  let calls = 0;
  const counted = new Batch(4, () => (++calls <= 10 ? calls : END));
  assert.deepStrictEqual([...counted], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.throws(() => counted.load(), end);
  assert.strictEqual(calls, 11, 'a source that has ended is not called');
  const letters = new Batch(2, new Set(['a', 'b', 'c']));
  assert.strictEqual(letters.load(), 'a');
  assert.deepStrictEqual(Array.from(letters), ['b', 'c']);
  const promises = new Batch(2, [Promise.resolve(1), Promise.resolve(2)]);
  const resolved = [];
  for await (const one of promises) resolved.push(one);
  assert.deepStrictEqual(resolved, [1, 2]);
  // A loop that is left, or whose batch is closed in it.
  const left = new Batch(8, [1, 2, 3, 4]);
  for (const one of left) if (one === 2) break;
  assert.strictEqual(left.load(), 3);
  left[Symbol.dispose]();
  assert.deepStrictEqual([...left], []);
  assert.throws(() => left.load(), { code: 'ERR_FT_LOCAL_CLOSED' });
  const failing = new Batch(1, () => {
    throw null;
  });
  assert.throws(() => [...failing], (thrown) => thrown === null);
}

async function aLeaseIsAskedForBlocksUntilItHasNoMore() {
  const counts = [];
  let next = 0;
  const ids = new Ids({
    size: 10,
    lease: (count) => {
      counts.push(count);
      next += count;
      return next <= 30 ? next - count : undefined;
    },
  });
  assert.deepStrictEqual([...ids], Array.from({ length: 30 }, (_, id) => id));
  assert.deepStrictEqual(counts, [10, 10, 10, 10]);
  await assert.rejects(ids.loadAsync(), { code: 'ERR_FT_LOCAL_END' });
  const failing = new Ids({
    size: 10,
    lease: () => {
      throw new SyntaxError('no lease');
    },
  });
  assert.throws(() => failing.load(), SyntaxError);
  await assert.rejects(failing.loadAsync(), SyntaxError);
  for (const first of [1.5, -1, NaN, Infinity, 2 ** 53 - 5]) {
    const bad = new Ids({ size: 10, lease: () => first });
    const message = new RegExp(`first id, .* a safe integer from 0 on, .* got ${first}$`);
    assert.throws(() => bad.load(), { name: 'RangeError', message });
  }
  for (const first of ['1', {}, Promise.resolve(1), 1n]) {
    const bad = new Ids({ size: 10, lease: () => first });
    const message = new RegExp(`first id, .* got ${typeof first}$`);
    assert.throws(() => bad.load(), { name: 'TypeError', message });
  }
  assert.throws(() => new Ids({ token: ids.token }), { name: 'TypeError', message: /lease/ });
}

/** What the worker does that holds up others: it leases, and then waits for a word. */
function leaseSlowly({ token, gate }) {
  const word = new Int32Array(gate);
  const ids = new Ids({
    token,
    lease: () => {
      parentPort.postMessage('in the source');
      Atomics.wait(word, 0, 0);
      return 100;
    },
  });
  parentPort.postMessage(ids.load());
}

/** Ids of which a worker runs the lease, until `open` is called. */
async function heldUp(size) {
  const gate = new SharedArrayBuffer(4);
  let next = 1000;
  const ids = new Ids({ size, lease: (count) => (next += count) - count });
  const worker = new Worker(__filename, { workerData: { slow: { token: ids.token, gate } } });
  const message = () => new Promise((resolve) => worker.once('message', resolve));
  await message();
  const open = async () => {
    const last = message();
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    return await last;
  };
  return { ids, open };
}

async function aPromiseWaitsAndTheEventLoopGoesOn() {
  const { ids, open } = await heldUp(8);
  assert.throws(() => ids.load({ timeout: 1 }), { code: 'ERR_FT_LOCAL_TIMED_OUT' });
  assert.throws(() => ids.load({ timeout: 0 }), { code: 'ERR_FT_LOCAL_TIMED_OUT' });
  const order = [];
  const loads = Array.from({ length: 20 }, async (_, index) => {
    const id = await ids.loadAsync();
    order.push(index);
    return id;
  });
  await turn();
  assert.deepStrictEqual(order, []);
  assert.strictEqual(await open(), 100);
  // Seven that the worker made, in order, and then those that this thread leases itself.
  const got = await Promise.all(loads);
  assert.deepStrictEqual(got.slice(0, 7), [101, 102, 103, 104, 105, 106, 107]);
  assert.deepStrictEqual(got.slice(7), Array.from({ length: 13 }, (_, id) => 1000 + id));
  assert.deepStrictEqual(order, Array.from({ length: 20 }, (_, index) => index));
}

async function anAbortedPromiseTakesNoId() {
  const { ids, open } = await heldUp(4);
  const reason = new Error('enough');
  const controllers = Array.from({ length: 6 }, () => new AbortController());
  const loads = controllers.map(({ signal }) => ids.loadAsync({ signal }));
  const settled = Promise.allSettled(loads);
  for (const index of [0, 2, 5]) controllers[index].abort(reason);
  await assert.rejects(ids.loadAsync({ signal: AbortSignal.abort(reason) }), reason);
  await assert.rejects(ids.loadAsync({ signal: AbortSignal.timeout(1) }), { name: 'TimeoutError' });
  await open();
  const values = (await settled).map(({ value, reason: why }) => value ?? why);
  assert.deepStrictEqual(values, [reason, 101, reason, 102, 103, reason]);
  // All that wait give up, and others come.
  const again = await heldUp(4);
  const controller = new AbortController();
  const given = Promise.allSettled([1, 2].map(() => again.ids.loadAsync(controller)));
  controller.abort(reason);
  assert.deepStrictEqual((await given).map((each) => each.reason), [reason, reason]);
  const last = again.ids.loadAsync();
  await again.open();
  assert.strictEqual(await last, 101);
}

async function closingRejectsWhatWaits() {
  const { ids, open } = await heldUp(4);
  const load = assert.rejects(ids.loadAsync(), { code: 'ERR_FT_LOCAL_CLOSED' });
  const all = (async () => {
    const got = [];
    for await (const id of ids) got.push(id);
    return got;
  })();
  ids[Symbol.dispose]();
  await load;
  assert.deepStrictEqual(await all, []);
  assert.strictEqual(await open(), 100, 'the one that the worker made for itself');
}

/** What each worker does by promises: many at a time, every seventh of which is aborted. */
async function sumOfPromises({ token, gate }) {
  const next = new BigInt64Array(gate);
  const ids = new Ids({ token, lease: (count) => Number(Atomics.add(next, 0, BigInt(count))) });
  let sum = 0n;
  let count = 0;
  const task = async (number) => {
    for (let load = 0; load < LOADS / 100; ) {
      const controller = new AbortController();
      const promise = ids.loadAsync(controller);
      if ((load + number) % 7 === 0) queueMicrotask(() => controller.abort());
      try {
        const id = await promise;
        sum += BigInt(id);
        count++;
      } catch (error) {
        assert.strictEqual(error.name, 'AbortError');
      }
      load++;
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, number) => task(number)));
  return { sum, count };
}

async function workersAwaitIds() {
  const gate = new SharedArrayBuffer(8);
  const next = new BigInt64Array(gate);
  const ids = new Ids({ size: 7, lease: (count) => Number(Atomics.add(next, 0, BigInt(count))) });
  const workers = Array.from({ length: WORKERS }, () => {
    const worker = new Worker(__filename, { workerData: { many: { token: ids.token, gate } } });
    return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
  });
  const results = await Promise.all(workers);
  let sum = results.reduce((total, each) => total + each.sum, 0n);
  let count = results.reduce((total, each) => total + each.count, 0);
  for (; ids.length > 0; count++) sum += BigInt(ids.load());
  // None is lost and none came twice: the ids are those from 0 on.
  assert.strictEqual(BigInt(count), next[0]);
  assert.strictEqual(sum, (BigInt(count) * BigInt(count - 1)) / 2n);
  return `${count} promises in ${WORKERS} workers`;
}

/** What a worker does that ends, or is ended, while its promises wait. */
function waitForGood({ token }) {
  const ids = new Ids({ token, lease: () => undefined });
  for (let load = 0; load < 5; load++) ids.loadAsync().catch(() => {});
  parentPort.postMessage('waits');
}

async function aWorkerThatEndsPassesOnWhatItWaitedFor() {
  for (let round = 0; round < 5; round++) {
    const { ids, open } = await heldUp(2);
    const workers = Array.from(
      { length: 3 },
      () => new Worker(__filename, { workerData: { waits: { token: ids.token } } }),
    );
    await Promise.all(workers.map((worker) => new Promise((go) => worker.once('message', go))));
    const load = ids.loadAsync();
    await Promise.all(workers.map((worker) => worker.terminate()));
    await open();
    assert.strictEqual(await load, 101);
  }
}

async function idsThatAreAwaitedAreCollectedAfterwards() {
  const collected = [];
  const registry = new FinalizationRegistry((name) => collected.push(name));
  await (async () => {
    const { ids, open } = await heldUp(2);
    registry.register(ids, 'ids');
    const load = ids.loadAsync();
    globalThis.gc();
    await turn();
    assert.deepStrictEqual(collected, []);
    await open();
    assert.strictEqual(await load, 101);
  })();
  // If they never are, the script ends the test.
  while (collected.length === 0) {
    await turn();
    globalThis.gc();
  }
}

/** What there is of memory, after a collection and the finalizers, which run in later turns. */
async function resident() {
  for (let turns = 0; turns < 3; turns++) {
    globalThis.gc();
    await turn();
  }
  return process.memoryUsage.rss();
}

async function makeAndDropBatches() {
  for (let count = 0; count < 10000; count++) {
    const batch = new Batch(100, () => batch && 1);
    batch.load();
    if (count % 2 === 0) batch.close();
    // Turns of the event loop, in which finalizers run.
    if (count % 1000 === 0) await resident();
  }
}

async function droppedBatchesAreFreed() {
  await makeAndDropBatches();
  const before = await resident();
  await makeAndDropBatches();
  // If they stayed, there would be more than 40 MB. If they always do, the script ends the test.
  while ((await resident()) - before > 20e6);
}

/** What a worker does whose source never returns, or ends the worker. */
function neverReturn(exits) {
  const batch = new Batch(SIZE, () => {
    if (batch.length < SIZE / 2) return {};
    parentPort.postMessage('in the source');
    if (exits) process.exit(3);
    for (;;);
  });
  batch.load();
}

async function aWorkerCanEndInItsSource() {
  for (const exits of [false, true]) {
    const worker = new Worker(__filename, { workerData: { exits } });
    const ended = new Promise((resolve) => worker.on('exit', resolve));
    if (exits) {
      assert.strictEqual(await ended, 3);
    } else {
      await new Promise((resolve) => worker.on('message', resolve));
      assert.strictEqual(await worker.terminate(), 1);
    }
  }
}

/** What a worker does until the ids are closed. */
function loadUntilClosed(ids) {
  for (let first = true; ; first = false) {
    try {
      ids.load();
    } catch (error) {
      return error.message;
    }
    if (first) parentPort.postMessage('loads');
  }
}

async function closingIdsEndsThemForAllWorkers() {
  const ids = new Ids({ size: SIZE });
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(__filename, { workerData: { token: ids.token } }),
  );
  const message = (worker) => new Promise((resolve) => worker.once('message', resolve));
  await Promise.all(workers.map(message));
  const ends = workers.map(message);
  ids.close();
  for (const end of await Promise.all(ends)) assert.match(end, /closed/);
  assert.strictEqual(ids.length, 0);
  assert.throws(() => ids.load(), /closed/);
}

/** What each worker does. It ends with a batch of its own that still has results. */
function sumOfIds(ids) {
  new Batch(SIZE, () => ({})).load();
  let sum = 0n;
  let last = 0;
  for (let load = 0; load < LOADS; load++) {
    const id = ids.load();
    assert(id > last, 'the ids of one thread grow');
    sum += BigInt(id);
    last = id;
  }
  return sum;
}

async function workersShareIds() {
  const ids = new Ids({ size: SIZE });
  const sums = Array.from({ length: WORKERS }, () => {
    const worker = new Worker(__filename, { workerData: ids.token });
    return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
  });
  const sum = (await Promise.all(sums)).reduce((one, other) => one + other);
  // Ids come in the order of the source: those handed out are the first ones, and the next is next.
  const delivered = WORKERS * LOADS;
  const left = ids.length;
  assert.strictEqual(sum, (BigInt(delivered) * BigInt(delivered + 1)) / 2n);
  for (let id = delivered + 1; id <= delivered + left; id++) assert.strictEqual(ids.load(), id);
  assert.strictEqual(ids.length, 0);
  return `${WORKERS} workers: made ${delivered + left} = delivered ${delivered} + left ${left}`;
}

async function idsGoWithTheirLastUser() {
  const token = (() => new Ids({ size: SIZE }).token)();
  const known = () => {
    try {
      return new Ids({ token }) && true;
    } catch (error) {
      assert.match(error.message, /token/);
      return false;
    }
  };
  assert(known());
  do {
    await turn();
    globalThis.gc();
    // Joining keeps them alive until the next collection, so not every turn asks.
    for (let rest = 0; rest < 3; rest++) await turn();
  } while (known());
}

async function main() {
  await anErrorOfTheSourceReachesItsLoad();
  await anyValueCanBeAResult();
  await sourcesMayLoadFromOtherBatchesButNotTheirOwn();
  await aForgottenBatchIsFreedThoughItsSourceKnowsIt();
  await aSourceMayCloseItsBatch();
  await aSourceMayThrowAnything();
  await aWorkerCanEndInItsSource();
  await closingIdsEndsThemForAllWorkers();
  await droppedBatchesAreFreed();
  await badUseIsNamed();
  await aSourceEndsByReturningEndOrAsAnIterable();
  await aLeaseIsAskedForBlocksUntilItHasNoMore();
  await aPromiseWaitsAndTheEventLoopGoesOn();
  await anAbortedPromiseTakesNoId();
  await closingRejectsWhatWaits();
  await aWorkerThatEndsPassesOnWhatItWaitedFor();
  await idsThatAreAwaitedAreCollectedAfterwards();
  await idsGoWithTheirLastUser();
  const counts = [await eachGuidIsHandedOutOnce(), await workersShareIds(), await workersAwaitIds()];
  console.log(`note: ${counts.join('; ')}`);
}

if (isMainThread) main();
else if (workerData.exits !== undefined) neverReturn(workerData.exits);
else if (workerData.slow) leaseSlowly(workerData.slow);
else if (workerData.waits) waitForGood(workerData.waits);
else if (workerData.many) {
  sumOfPromises(workerData.many).then((result) => parentPort.postMessage(result));
}
else if (workerData.token !== undefined) {
  parentPort.postMessage(loadUntilClosed(new Ids({ token: workerData.token })));
}
else parentPort.postMessage(sumOfIds(new Ids({ token: workerData })));
