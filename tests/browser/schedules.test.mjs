/**
 * Random schedules of sends, actions, faults and user switches: afterwards every tab shows what
 * the database holds, and then not one more request is made. `SCHEDULES` and `SEED` ask for others.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { FAULTS_END, RECONCILE, World } from "./simulation.mjs";

const SCHEDULES = Number(process.env.SCHEDULES ?? 200);
const FIRST = Number(process.env.SEED ?? 1);
const ACTIONS_TIME_OUT = 16_000;

async function failureOf(seed) {
  const world = new World(seed);
  const { clock, tabs } = world;
  await clock.run(FAULTS_END + ACTIONS_TIME_OUT + 2 * RECONCILE + 4600);
  world.verify("after two reconcile intervals");

  const lists = tabs.map((tab) => tab.lists);
  const noMore = (when) =>
    tabs.forEach((tab, index) => {
      if (tab.lists !== lists[index])
        world.fail(`${when}, tab ${index} asked though nothing changed`);
    });
  await clock.pass(5 * RECONCILE);
  world.verify("idle");
  noMore("idle");

  for (const tab of tabs) tab.client.all.open();
  for (const tab of tabs) tab.connection?.close(1006);
  await clock.pass(3 * RECONCILE);
  world.verify("reconnected");
  world.verifyArchives("reconnected");
  noMore("reconnected");
  if (world.isSharing) world.verifySockets();
  return world.failure;
}

test(`${SCHEDULES} random schedules from seed ${FIRST}`, async () => {
  for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
    const failure = await failureOf(seed);
    assert.equal(failure, undefined, `seed ${seed}: ${failure}`);
  }
});
