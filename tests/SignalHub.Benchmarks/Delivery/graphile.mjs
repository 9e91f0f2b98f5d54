// The job that SignalHub's delivery does, by graphile-worker: insert, claim, POST, complete, on the same PostgreSQL.
// node graphile.mjs <connection string> <receiver URL> <number> <concurrency> <jobs a transaction> <transactions at a time> <body file>
// Prints one line of JSON: seconds from the first insert to the last completion, and the number of jobs left.
import http from "node:http";
import fs from "node:fs";
import pg from "pg";
import { run, runMigrations } from "graphile-worker";

const [connectionString, url, count, concurrency, batch, feeders, bodyFile] = process.argv.slice(2);
const total = Number(count);
const body = fs.readFileSync(bodyFile, "utf8");
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(concurrency) });
const target = new URL(url);

// The fastest client of Node: fetch costs about twice as much.
const post = (text) => new Promise((resolve, reject) => {
  const request = http.request(target, { method: "POST", agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) } }, (response) => {
    response.resume();
    response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
  });
  request.on("error", reject);
  request.end(text);
});

// As many connections as its warning asks for.
const pgPool = new pg.Pool({ connectionString, max: Number(concurrency) + 4 });
pgPool.on("error", console.error);
pgPool.on("connect", (client) => client.on("error", console.error));
// Its own settings for throughput: a local queue instead of a query a job, and completions in batches.
const preset = {
  worker: { concurrentJobs: Number(concurrency), localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0, pollInterval: 100 },
};
await runMigrations({ pgPool, preset });

const add = async (number) => {
  let begun = 0;
  const feed = async () => {
    while (begun < number) {
      const length = Math.min(Number(batch), number - begun);
      begun += length;
      const jobs = Array.from({ length }, () => ({ identifier: "deliver", payload: { body } }));
      await pgPool.query("select count(*) from graphile_worker.add_jobs(array(select json_populate_recordset(null::graphile_worker.job_spec, $1::json)))", [JSON.stringify(jobs)]);
    }
  };
  await Promise.all(Array.from({ length: Number(feeders) }, feed));
};
const left = async () => Number((await pgPool.query("select count(*) from graphile_worker._private_jobs")).rows[0].count);
const drained = async () => {
  while ((await left()) > 0) await new Promise((resume) => setTimeout(resume, 10));
};

let delivered = 0;
const runner = await run({
  pgPool, preset, noHandleSignals: true,
  logger: new (await import("graphile-worker")).Logger(() => (level, message) => level === "error" && console.error(message)),
  taskList: { deliver: async (payload) => { await post(payload.body); delivered++; } },
});
await add(2000);
await drained();
await pgPool.query("checkpoint");
delivered = 0;
const started = performance.now();
await add(total);
while (delivered < total) await new Promise((resume) => setTimeout(resume, 2));
await drained();
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ seconds, left: await left(), delivered }));
await runner.stop();
await pgPool.end();
process.exit(0);
