// What the checks stand on: a simulated portal of their own, and a list of checks that each print one line.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.env.SDK_NODE_HOME}/`);
export const { Client } = require('@hubspot/api-client');

const pending = new Set(
  (process.env.SDK_PENDING ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean),
);
const checks = [];

// Registers a check; `group` is what PENDING names.
export const check = (group, sentence, run) => checks.push({ group, sentence, run });

// Runs a call that must be refused with this status; the SDK's exception.
export async function refused(status, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    if (error.code !== status) throw error;
    return error;
  }
  throw new Error(`not refused with ${status}: ${JSON.stringify(answer).slice(0, 200)}`);
}

export const ids = (rows) => rows.map((row) => row.id);
export const sorted = (values) => [...values].sort();

// A running `dealdeck simulate`.
export class Portal {
  static async open(...flags) {
    const portal = new Portal();
    const command = ['simulate', '--listen', '127.0.0.1:0', '--seed', '7', ...flags];
    portal.process = spawn(process.env.DEALDECK_BINARY, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    const { value } = await createInterface({ input: portal.process.stdout })[Symbol.asyncIterator]().next();
    Object.assign(portal, JSON.parse(value));
    return portal;
  }

  close() {
    this.process.kill('SIGTERM');
  }

  client(options = {}) {
    return new Client({ accessToken: this.token, basePath: this.url, ...options });
  }

  // What the portal itself says, around the SDK; NDJSON comes back as an array.
  async witness(path, body) {
    const options = body && { method: 'POST', body: JSON.stringify(body) };
    const text = await (await fetch(`${this.url}/__portal/${path}`, options)).text();
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}

// Runs every registered check; how many passed and failed.
export async function run(portal, crm) {
  let [passed, failed] = [0, 0];
  for (const { group, sentence, run } of checks) {
    const waits = pending.has(group);
    try {
      await run(crm, portal);
      passed += 1;
      console.log(`pass  node    ${group}: ${sentence}${waits ? ' (no longer pending)' : ''}`);
    } catch (error) {
      failed += waits ? 0 : 1;
      const reason = (error.body ? `${error.code} ${JSON.stringify(error.body)}` : `${error.message}`)
        .replace(/\s+/g, ' ')
        .slice(0, 600);
      console.log(`${waits ? 'pend' : 'FAIL'}  node    ${group}: ${sentence}: ${reason}`);
      if (!waits && process.env.SDK_TRACE) console.error(error);
    }
  }
  return { passed, failed };
}
