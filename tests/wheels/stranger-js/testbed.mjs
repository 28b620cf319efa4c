// What a suite in JavaScript needs of `crm testbed`: a fresh system for each test, and a country's own connection.
import { jetstream } from "@nats-io/jetstream";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";
import { test as run } from "node:test";

const BED = process.env.CRM_TESTBED ?? "http://127.0.0.1:4280";
export const started = [];

export async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const answer = await fetch(BED + path, { method, body: body && JSON.stringify(body) });
  const found = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status}: ${found.detail}`);
  return found;
}

export class System {
  constructor(shown) {
    Object.assign(this, shown);
    this.path = `/systems/${shown.id}`;
    this.open = [];
  }
  tell = (country, name, fields = {}, id) => ask(`${this.path}/reports`, { country, name, fields, ...(id && { id }) });
  outcome = (country, service, id) => ask(`${this.path}/outcomes/${country}/${service}/${id}`);
  mailbox = (country, name = "") => ask(`${this.path}/mailbox/${country}${name && "?name=" + name}`);
  log = (service, name = "") => ask(`${this.path}/log/${service}${name && "?name=" + name}`);
  settled = () => ask(`${this.path}/settled`, {});
  advance = (span) => ask(`${this.path}/clock`, { advance: span });
  figures = (row, country = "") => ask(`${this.path}/figures/${row}?country=${country}`);
  robot = (country, script) => ask(`${this.path}/robots`, { country, script });
  fault = (what) => ask(`${this.path}/faults`, what);
  async connected(country, options = {}) {
    const { address, seed } = await ask(`${this.path}/countries/${country}`, {});
    const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
    const nc = await connect({ servers: address, authenticator, ...options });
    this.open.push(nc);
    return { nc, js: jetstream(nc, { domain: "CRM" }) };
  }
}

export function test(name, body) {
  run(name, async () => {
    const before = performance.now();
    const system = new System(await ask("/systems", {}));
    started.push((performance.now() - before) / 1000);
    try {
      await body(system);
    } finally {
      await Promise.all(system.open.map((nc) => nc.close()));
      await ask(system.path, undefined, "DELETE");
    }
  });
}
