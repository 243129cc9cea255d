'use strict';

// Objects in one thread, counted by the collector, and ids in many, with their sum.

const assert = require('node:assert');
const { randomUUID } = require('node:crypto');
const { setImmediate: turn } = require('node:timers/promises');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { Batch, Ids } = require('./ft_local.js');

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

async function badUseIsNamed() {
  for (const size of [0, -1, 1.5, NaN, Infinity, 2 ** 31, 2 ** 70]) {
    const error = {
      name: 'RangeError',
      message: `size must be an integer from 1 to 1073741824, got ${size}`,
    };
    assert.throws(() => new Batch(size, () => 1), error);
    assert.throws(() => new Ids({ size }), error);
  }
  for (const size of ['many', '1', 1n, null, undefined, {}]) {
    assert.throws(() => new Batch(size, () => 1), { name: 'TypeError', message: /size/ });
    assert.throws(() => new Ids({ size }), { name: 'TypeError', message: /size/ });
  }
  assert.throws(() => new Batch(1), { name: 'TypeError', message: /source/ });
  for (const token of [12345, 1.5, 'one']) assert.throws(() => new Ids({ token }), /token/);
  const batch = new Batch(1, () => 1);
  batch.close();
  batch.close();
  assert.throws(() => batch.load(), /closed/);
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
  await idsGoWithTheirLastUser();
  console.log(`note: ${await eachGuidIsHandedOutOnce()}; ${await workersShareIds()}`);
}

if (isMainThread) main();
else if (workerData.exits !== undefined) neverReturn(workerData.exits);
else if (workerData.token !== undefined) {
  parentPort.postMessage(loadUntilClosed(new Ids({ token: workerData.token })));
}
else parentPort.postMessage(sumOfIds(new Ids({ token: workerData })));
