// Looks at pages as axe-core, a narrow screen, a keyboard and a slow line do, and writes what it found, a line of JSON for
// each page and width. `pages.mjs FILE`, with {chromium, origin, widths, pages: [{name, status, steps}], pictures} in it; a
// step that is a list has one for each width; `pictures`, if it is there, is a folder for pictures of them all.

import { readFile } from 'node:fs/promises';

import { act, launch, pageIn, require } from './hand.mjs';

const AXE = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
// Everything in the one scheme on wide screens and in the other on narrow ones, and what is about colours in both.
const SCHEMES = [['light', 'dark'], ['dark', 'light']];
const COLOURS = ['color-contrast', 'link-in-text-block'];
const NARROWEST = 320;
const PICTURED = [360, 800, 1400];

const given = JSON.parse(await readFile(process.argv[2], 'utf8'));
const browser = await launch(given.chromium);

for (const [index, width] of given.widths.entries()) {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  for (const { name, status, steps } of given.pages) {
    const page = await pageIn(context);
    const found = { name, width };
    const own = steps.map((step) => (Array.isArray(step) ? step[index] : step));
    try {
      await look(page, found, status, own, SCHEMES[index % SCHEMES.length]);
      found.cookies = await context.cookies();
      if (given.pictures && index === 0) await picture(page, `${given.pictures}/${found.lang}-${name.replaceAll(/[^a-z]+/g, '-')}`);
    } catch (error) {
      found.error = String(error);
    }
    process.stdout.write(`${JSON.stringify(found)}\n`);
    await page.close();
  }
  await context.close();
}
await browser.close();

async function look(page, found, expected, steps, schemes) {
  const answers = [];
  found.elsewhere = [];
  found.complaints = [];
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== given.origin) found.elsewhere.push(request.url());
  });
  page.on('response', (response) => answers.push(response));
  await page.route('**/*', (route) => slowly(page, route));
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
  found.faint = [];
  for (const [nth, colorScheme] of schemes.entries()) {
    await page.emulateMedia({ colorScheme });
    const rules = nth === 0 ? { rules: { 'target-size': { enabled: true } } } : { runOnly: COLOURS };
    const { violations, incomplete } = await page.evaluate((more) => {
      return window.axe.run({ resultTypes: ['violations', 'incomplete'], ...more });
    }, rules);
    const brief = ({ id, help, nodes }) => ({ id, help, colorScheme, nodes: nodes.map((node) => node.html) });
    found.axe.push(...violations.map(brief));
    found.unsure.push(...incomplete.filter(({ id, nodes }) => !isOfPictures(id, nodes)).map(brief));
    found.faint.push(...(await page.evaluate(faintInPictures)));
  }
  found.focus = await walkByKeys(page);
  await page.setViewportSize({ width: Math.min(found.width, NARROWEST), height: 800 });
  found.wide = await page.evaluate(tooWide);
}

/** A slow line: whatever a page can be shown without comes when it has been shown, and must not move it then. */
async function slowly(page, route) {
  if (!['document', 'stylesheet'].includes(route.request().resourceType())) {
    await page.waitForLoadState('domcontentloaded');
    await page.evaluate(() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen))));
  }
  await route.continue();
}

async function picture(page, path) {
  for (const width of PICTURED) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${path}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
}

/** axe-core cannot tell what is behind the words of a picture; `faintInPictures` can. */
function isOfPictures(id, nodes) {
  return id === 'color-contrast' && nodes.every((node) => node.html.startsWith('<text '));
}

/** Follows Tab from the beginning to the end; says what it missed, found out of order, or could not see. */
async function walkByKeys(page) {
  const controls = await page.evaluate(markControls);
  const wrong = [];
  for (const control of controls) {
    await page.keyboard.press('Tab');
    const { at, visible } = await page.evaluate(focused);
    if (at !== control.at) wrong.push(`Tab led to ${at} instead of ${control.at}, ${control.html}`);
    else if (!visible) wrong.push(`the focus is not to be seen on ${control.html}`);
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
    if (element.closest('details:not([open])') && element.localName !== 'summary') return false;
    if (element.type !== 'radio') return true;
    const group = all.filter((other) => other.type === 'radio' && other.name === element.name && other.form === element.form);
    return element === (group.find((other) => other.checked) ?? group[0]);
  });
  stops.forEach((element, index) => (element.dataset.stop = String(index)));
  return stops.map((element, index) => ({ at: String(index), html: element.outerHTML.slice(0, 120) }));
}

/** The browser scrolls to what is focused by itself, if it is anywhere on the page. */
function focused() {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  const { width, height, left, top, right } = element.getBoundingClientRect();
  const onPage = width > 0 && height > 0 && left + scrollX >= 0 && top + scrollY >= 0 &&
    right + scrollX <= document.documentElement.scrollWidth + 1;
  return { at: element.dataset.stop ?? element.outerHTML.slice(0, 120), visible: ring && onPage };
}

/** Words in pictures with less than 4.5 : 1 before the page's background; no bar reaches behind them. */
function faintInPictures() {
  const shares = (color) => color.match(/[\d.]+/g).slice(0, 3).map((share) => share / 255)
    .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
  const light = (color) => shares(color).reduce((sum, share, index) => sum + share * [0.2126, 0.7152, 0.0722][index], 0);
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll('svg text')].filter((text) => {
    const [dark, bright] = [paper, light(getComputedStyle(text).fill)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05) < 4.5;
  }).map((text) => text.outerHTML);
}

function tooWide() {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll('*')].filter((element) => element.getBoundingClientRect().right > width);
  return wide.map((element) => element.outerHTML.slice(0, 120));
}
