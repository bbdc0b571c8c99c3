// The browser of this machine, and a hand that works a page: with a mouse, or with nothing but the keys.
// Knows controls by what people call them; what for is the story's business.

import { createRequire } from 'node:module';
import { join } from 'node:path';

export const require = createRequire(join(process.env.GAZETTED_TEST_NODE, 'package.json'));
const { chromium } = require('playwright-core');

const PATIENCE = 15_000;

export async function launch(executablePath) {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
}

export async function pageIn(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  return page;
}

/** Does one thing; a pressed button or an opened address gives the answer's status. */
export async function act(page, step, keys = false) {
  const { open, type, tick, choose, press } = step;
  if (open) return (await page.goto(open)).status();
  if (type) return keys ? typeBlindly(page, type, step.text) : page.getByLabel(type).fill(step.text);
  if (tick) {
    const box = page.getByLabel(tick, { exact: true });
    if (!keys) return box.check();
    await tabTo(page, box);
    await page.keyboard.press('Space');
    if (!(await box.isChecked())) throw new Error(`Space does not tick \`${tick}\``);
    return undefined;
  }
  if (choose) {
    const list = page.getByLabel(choose);
    if (!keys) return list.selectOption({ label: step.option });
    await tabTo(page, list);
    await page.keyboard.type(step.option);
    const chosen = await list.evaluate((element) => element.selectedOptions[0].label);
    if (chosen !== step.option) throw new Error(`the keys chose \`${chosen}\` and not \`${step.option}\``);
    return undefined;
  }
  const button = page.getByRole('button', { name: press, exact: true });
  if (keys) await tabTo(page, button);
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().isNavigationRequest()),
    keys ? page.keyboard.press('Enter') : button.click(),
  ]);
  await page.waitForLoadState();
  return answer.status();
}

async function typeBlindly(page, label, text) {
  await tabTo(page, page.getByLabel(label));
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

const MOST_STOPS = 100;

async function tabTo(page, locator) {
  await locator.waitFor();
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if (await locator.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${locator}`);
}
