// Looks at pages as axe-core, a narrow screen, a keyboard and a slow line do, and writes what it found, a line of JSON for
// each page and width. `pages.mjs FILE`, with {chromium, origin, widths, pages: [{name, status, steps}]} in it; a step that
// is a list has one for each width.

import { readFile } from 'node:fs/promises';

import { act, launch, pageIn, require } from './hand.mjs';

const AXE = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
const SCHEMES = ['light', 'dark'];
const NARROWEST = 320;

const given = JSON.parse(await readFile(process.argv[2], 'utf8'));
const browser = await launch(given.chromium);

for (const [index, width] of given.widths.entries()) {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  for (const { name, status, steps } of given.pages) {
    const page = await pageIn(context);
    const found = { name, width };
    try {
      await look(page, found, status, steps.map((step) => (Array.isArray(step) ? step[index] : step)));
      found.cookies = await context.cookies();
    } catch (error) {
      found.error = String(error);
    }
    process.stdout.write(`${JSON.stringify(found)}\n`);
    await page.close();
  }
  await context.close();
}
await browser.close();

async function look(page, found, expected, steps) {
  const answers = [];
  found.elsewhere = [];
  found.complaints = [];
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== given.origin) found.elsewhere.push(request.url());
  });
  page.on('response', (response) => answers.push(response));
  page.on('console', (message) => {
    // A refusal's own status is said there, too.
    if (!message.text().startsWith('Failed to load resource')) found.complaints.push(message.text());
  });
  let status;
  for (const step of steps) {
    answers.length = 0;
    status = (await act(page, step)) ?? status;
  }
  found.status = status;
  if (status !== expected) throw new Error(`the answer was ${status} and not ${expected}: ${await page.content()}`);
  found.shift = await page.evaluate(layoutShift);
  found.scripts = await page.evaluate(scripts);
  found.bytes = 0;
  for (const answer of answers) {
    if (await answer.headerValue('set-cookie')) found.complaints.push(`a cookie from ${answer.url()}`);
    found.bytes += (await answer.body()).length;
  }
  found.files = answers.map((answer) => new URL(answer.url()).pathname);
  found.lang = await page.locator('html').getAttribute('lang');
  await page.evaluate(AXE);
  found.axe = [];
  found.unsure = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    const { violations, incomplete } = await page.evaluate(() =>
      // eslint-disable-next-line no-undef
      axe.run({ resultTypes: ['violations', 'incomplete'], rules: { 'target-size': { enabled: true } } }),
    );
    const brief = ({ id, help, nodes }) => ({ id, help, colorScheme, nodes: nodes.map((node) => node.html) });
    found.axe.push(...violations.map(brief));
    found.unsure.push(...incomplete.map(brief));
    found.focus = [...(found.focus ?? []), ...(await walkByKeys(page, colorScheme))];
  }
  await page.setViewportSize({ width: Math.min(found.width, NARROWEST), height: 800 });
  found.wide = await page.evaluate(tooWide);
}

/** Follows Tab from the beginning to the end; says what it missed, found out of order, or could not see. */
async function walkByKeys(page, colorScheme) {
  const controls = await page.evaluate(markControls);
  const wrong = [];
  for (const control of controls) {
    await page.keyboard.press('Tab');
    const { at, visible } = await page.evaluate(focused);
    if (at !== control.at) wrong.push(`${colorScheme}: Tab led to ${at} instead of ${control.at}, ${control.html}`);
    else if (!visible) wrong.push(`${colorScheme}: the focus is not to be seen on ${control.html}`);
    if (at !== control.at) break;
  }
  if (controls.length === 0) wrong.push('there is nothing to Tab to');
  return wrong;
}

// What follows runs in the page.

function layoutShift() {
  return new Promise((resolve) => {
    let sum = 0;
    const add = (entries) => entries.forEach((entry) => (sum += entry.value));
    const observer = new PerformanceObserver((list) => add(list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
      add(observer.takeRecords());
      resolve(sum);
    })));
  });
}

function scripts() {
  const handlers = [...document.querySelectorAll('*')].flatMap((element) =>
    element.getAttributeNames().filter((name) => name.startsWith('on')));
  return document.scripts.length + handlers.length;
}

/** Numbers everything that Tab should stop at, in the order of the document; of a group of radio buttons, one. */
function markControls() {
  document.activeElement.blur();
  getSelection().removeAllRanges();
  scrollTo(0, 0);
  const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')];
  const stops = all.filter((element) => {
    if (element.closest('[aria-hidden=true]') || element.disabled) return false;
    if (element.type !== 'radio') return true;
    const group = all.filter((other) => other.type === 'radio' && other.name === element.name && other.form === element.form);
    return element === (group.find((other) => other.checked) ?? group[0]);
  });
  stops.forEach((element, index) => (element.dataset.stop = String(index)));
  return stops.map((element, index) => ({ at: String(index), html: element.outerHTML.slice(0, 120) }));
}

function focused() {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  const box = element.getBoundingClientRect();
  const inView = box.width > 0 && box.height > 0 && box.left >= 0 && box.top >= 0 &&
    box.right <= innerWidth && box.bottom <= innerHeight;
  return { at: element.dataset.stop ?? element.outerHTML.slice(0, 120), visible: ring && inView };
}

function tooWide() {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll('*')].filter((element) => element.getBoundingClientRect().right > width);
  return wide.map((element) => element.outerHTML.slice(0, 120));
}
