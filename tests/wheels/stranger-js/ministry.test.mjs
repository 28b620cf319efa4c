import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after } from "node:test";
import { ask, started, System, test } from "./testbed.mjs";

const REFERRAL = { from: "GTM", to: "SLV", urgency: "danger" };
const FLAGGED = {
  doc_code: "PP", issuing: "HND", fraud_type: "photo_substitution",
  detected_by: "second_line", reported_by: "immigration",
};
const flagged = (id, time, data = FLAGGED) => JSON.stringify({
  specversion: "1.0", id, source: "urn:crm:country:GTM:sicam", type: "crm.intel.document.flagged.v1",
  time, subject: "doc-1", datacontenttype: "application/json", data,
});
const SUBJECT = "report.intel.document.flagged";

test("nothing is there at first", async (crm) => {
  for (const service of ["intel", "victims", "legal", "training"]) assert.deepEqual(await crm.log(service), []);
});

test("a report is recorded", async (crm) => {
  const found = await crm.tell("GTM", "intel.document.flagged", { issuing: "HND" });
  assert.equal(found.outcome, "recorded");
  assert.equal(found.event.country, "GTM");
});

test("a report of our own client is recorded", async (crm) => {
  const { nc } = await crm.connected("GTM");
  const answer = await nc.request(SUBJECT, flagged("js-1", crm.now), { timeout: 5000 });
  assert.equal(answer.json().stream, "INTAKE_GTM");
  assert.equal((await crm.outcome("GTM", "intel", "js-1")).outcome, "recorded");
});

test("a report sent twice is recorded once", async (crm) => {
  const { nc } = await crm.connected("GTM");
  for (const _ of [1, 2]) await nc.request(SUBJECT, flagged("js-1", crm.now), { timeout: 5000 });
  await crm.settled();
  assert.equal((await crm.log("intel", "intel.document.flagged")).length, 1);
});

test("another report of the same id is refused", async (crm) => {
  await crm.tell("GTM", "intel.document.flagged", { issuing: "HND" }, "1");
  const found = await crm.tell("GTM", "intel.document.flagged", { issuing: "SLV" }, "1");
  assert.deepEqual(found.problems.map((one) => one.code), ["id_conflict"]);
});

for (const [fields, code] of [
  [{ detected_by: "guess" }, "unknown_value"],
  [{ reported_by: null }, "missing_field"],
  [{ name: "Ana" }, "unknown_field"],
]) {
  test(`what is wrong is told: ${code}`, async (crm) => {
    const found = await crm.tell("GTM", "intel.document.flagged", fields);
    assert.equal(found.outcome, "refused");
    assert.ok(found.problems.some((one) => one.code === code));
  });
}

test("the mailbox opens by the client's ordinary calls", async (crm) => {
  await crm.tell("GTM", "intel.document.flagged", { detected_by: "guess" }, "wrong-1");
  const { js } = await crm.connected("GTM");
  const consumer = await js.consumers.get("MAILBOX", "GTM");
  let told;
  for (let number = 1; told?.data.report_id !== "wrong-1"; number++) {
    const message = await consumer.next({ expires: 5000 });
    told = message.json();
    await message.ackAck();
    assert.equal((await consumer.info()).ack_floor.consumer_seq, number);
  }
  assert.equal(told.type, "crm.intel.report.rejected.v1");
});

test("nobody opens another's mailbox", async (crm) => {
  const { js } = await crm.connected("GTM");
  await assert.rejects(() => js.consumers.get("MAILBOX", "HND"));
});

test("a hit reaches both", async (crm) => {
  await crm.tell("HND", "intel.document.listed", { issuing: "HND", doc_ref: "doc-1" });
  await crm.tell("MEX", "intel.document.flagged", { issuing: "HND", doc_ref: "doc-1" });
  await crm.settled();
  for (const country of ["HND", "MEX"]) assert.equal((await crm.mailbox(country, "intel.document.hit")).length, 1);
});

test("reading the offer is told to the sender", async (crm) => {
  await crm.tell("GTM", "victims.referral.sent", REFERRAL);
  await crm.settled();
  assert.equal((await crm.mailbox("SLV", "victims.referral.offered")).length, 1);
  await crm.settled();
  assert.equal((await crm.mailbox("GTM", "victims.referral.delivered")).length, 1);
});

test("an answer counts", async (crm) => {
  await crm.robot("SLV", { "victims.referral.offered": "victims.referral.accepted" });
  await crm.tell("GTM", "victims.referral.sent", REFERRAL);
  const [figure] = (await crm.figures("VA-5.1b", "SLV")).values;
  assert.deepEqual([figure.numerator, figure.denominator], [1, 1]);
});

test("silence climbs the ladder", async (crm) => {
  await crm.tell("GTM", "victims.referral.sent", REFERRAL);
  await crm.advance("31d");
  assert.equal((await crm.log("victims", "victims.referral.escalated")).length, 3);
  assert.equal((await crm.log("victims", "victims.referral.lapsed")).length, 1);
});

test("an answer in time ends the ladder", async (crm) => {
  await crm.robot("SLV", { "victims.referral.offered": { report: "victims.referral.accepted", after: "2h" } });
  await crm.tell("GTM", "victims.referral.sent", REFERRAL);
  await crm.advance("31d");
  assert.equal((await crm.log("victims", "victims.referral.overdue")).length, 0);
});

test("a robot refuses", async (crm) => {
  await crm.robot("SLV", {
    "victims.referral.offered": { report: "victims.referral.rejected", fields: { reason: "no_capacity" } },
  });
  await crm.tell("GTM", "victims.referral.sent", REFERRAL);
  await crm.settled();
  assert.ok((await crm.mailbox("GTM", "victims.alert.issued")).some((one) => one.data.kind === "referral_rejected"));
});

test("the board shows the system", async (crm) => {
  assert.match(await (await fetch(crm.board)).text(), /<html/);
});

test("a cut link loses nothing", async (crm) => {
  const { nc } = await crm.connected("GTM", { reconnectTimeWait: 100, maxReconnectAttempts: -1 });
  await crm.fault({ country: "GTM", link: "cut" });
  await assert.rejects(() => nc.request(SUBJECT, flagged("js-1", crm.now), { timeout: 500 }));
  await crm.fault({ country: "GTM", link: "mend" });
  for (let sent = false; !sent;) {
    sent = await nc.request(SUBJECT, flagged("js-1", crm.now), { timeout: 2000 }).then(() => true, () => false);
  }
  assert.equal((await crm.outcome("GTM", "intel", "js-1")).outcome, "recorded");
});

test("a restarted service goes on", async (crm) => {
  await crm.tell("GTM", "intel.document.flagged", {}, "1");
  await crm.fault({ restart: ["intel"] });
  await crm.tell("GTM", "intel.document.flagged", {}, "2");
  await crm.settled();
  assert.equal((await crm.log("intel", "intel.document.flagged")).length, 2);
});

test("what is wrong with a question to the testbed is told", async (crm) => {
  await assert.rejects(() => crm.advance("soon"), /400: a span of time/);
  await assert.rejects(() => crm.figures("XX-0"), /404/);
  await assert.rejects(() => crm.tell("GTM", "no.such.type"), /400/);
  await assert.rejects(() => ask("/systems/none"), /404/);
  assert.ok(crm instanceof System);
});

after(() => writeFileSync("started.json", JSON.stringify(started)));
