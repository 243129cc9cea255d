'use strict';

// What a promise of an id costs, compared with what a program would write in JavaScript:
//
//   FT_LOCAL_ADDON=$PWD/build/hosts/node/ft_local.node node hosts/node/bench.js

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { Ids } = require('./ft_local.js');

const LOADS = 200_000;
const TASKS = 100;
const WORKERS = 2;

/** A queue of one thread: takers wait for promises that the next put fulfils. */
class Queue {
  #items = [];
  #takers = [];

  put(item) {
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  take() {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}

/** Ids that the main thread hands out, one message for each question. */
class Asked {
  #takers = [];

  constructor() {
    parentPort.on('message', (id) => this.#takers.shift()(id));
  }

  take() {
    parentPort.postMessage('next');
    return new Promise((resolve) => this.#takers.push(resolve));
  }
}

/** Microseconds for each of LOADS calls of `take`, by TASKS tasks. */
async function measure(take) {
  const task = async () => {
    for (let load = 0; load < LOADS / TASKS; load++) await take();
  };
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: TASKS }, task));
  return Number(process.hrtime.bigint() - start) / 1000 / LOADS;
}

async function inOneThread() {
  const ids = new Ids({ size: 64 });
  const queue = new Queue();
  let next = 0;
  const produce = () => {
    for (let count = 0; count < 64; count++) queue.put(++next);
    if (next < LOADS) setImmediate(produce);
  };
  const promises = await measure(() => ids.loadAsync());
  produce();
  const queued = await measure(() => queue.take());
  return { 'loadAsync, one thread': promises, 'a queue of promises, one thread': queued };
}

async function inWorkers(kind, token) {
  let next = 0;
  const workers = Array.from({ length: WORKERS }, () => {
    const worker = new Worker(__filename, { workerData: { kind, token } });
    return new Promise((resolve, reject) => {
      worker.on('error', reject).on('message', (message) => {
        if (message === 'next') worker.postMessage(++next);
        else resolve(message);
      });
    });
  });
  return Math.max(...(await Promise.all(workers)));
}

async function main() {
  const rows = [];
  for (let round = 0; round < 5; round++) {
    const ids = new Ids({ size: 64 });
    rows.push({
      ...(await inOneThread()),
      [`loadAsync, ${WORKERS} workers`]: await inWorkers('ids', ids.token),
      [`a queue by messages, ${WORKERS} workers`]: await inWorkers('asked'),
    });
  }
  for (const name of Object.keys(rows[0])) {
    const best = Math.min(...rows.map((row) => row[name]));
    console.log(`${name.padEnd(34)} ${best.toFixed(2)} us a result`);
  }
}

async function work({ kind, token }) {
  const from = kind === 'ids' ? new Ids({ token }) : new Asked();
  const take = kind === 'ids' ? () => from.loadAsync() : () => from.take();
  parentPort.postMessage(await measure(take));
  parentPort.close();
}

if (isMainThread) main();
else work(workerData);
