// Goes from a link through the editors' pages to a release, and looks at each of them as axe-core does, at several widths, in
// both schemes. `desk.mjs FILE`, with {chromium, origin, link, widths, pages, pictures} in it; a line of JSON for each page.

import { readFile } from 'node:fs/promises';

import { act, launch, pageIn, require } from './hand.mjs';

const AXE = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
const given = JSON.parse(await readFile(process.argv[2], 'utf8'));
const browser = await launch(given.chromium);
const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
const page = await pageIn(context);
const complaints = [];
page.on('console', (message) => {
  // That there is no icon is said there, too.
  if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text());
});
page.on('request', (request) => {
  if (new URL(request.url()).origin !== given.origin) complaints.push(`asked for ${request.url()}`);
});

const expect = (wrong, is, what) => {
  if (!is) wrong.push(what);
};

async function look(name) {
  const wrong = [];
  expect(wrong, await page.evaluate(() => document.scripts.length === 0), 'there is a script');
  for (const width of given.widths) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => window.axe.run(document, { iframes: false, resultTypes: ['violations'] }));
      wrong.push(...violations.map(({ id, help, nodes }) => ({ id, help, width, colorScheme, nodes: nodes.map((n) => n.html) })));
      if (given.pictures) {
        const path = `${given.pictures}/desk-${name.replaceAll(/[^a-z]+/g, '-')}-${width}-${colorScheme}.png`;
        await page.screenshot({ path, fullPage: true });
      }
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    expect(wrong, !wide, `wider than ${width} pixels`);
  }
  wrong.push(...complaints.splice(0));
  process.stdout.write(`${JSON.stringify({ name, wrong })}\n`);
}

async function step(name, doing, words) {
  const wrong = [];
  const status = await act(page, doing);
  const text = await page.locator('main').innerText();
  expect(wrong, status === 200 || status === 303, `the answer was ${status}`);
  expect(wrong, text.includes(words), `\`${words}\` is not in ${text}`);
  process.stdout.write(`${JSON.stringify({ name, wrong })}\n`);
}

await step('the link', { open: given.link }, 'opens the editors');
await look('the link');
await step('signing in', { press: 'Sign in' }, 'Needs attention');
for (const path of given.pages) {
  await act(page, { open: given.origin + path });
  await look(path);
}
await step('the preview', { open: `${given.origin}/admin/next` }, 'As a mail program shows it');
const shown = await page.frameLocator('iframe').locator('body').innerText();
process.stdout.write(`${JSON.stringify({ name: 'the frame', wrong: shown.includes('Lately <in>') ? [] : [shown] })}\n`);
await step('a test', { press: 'Send me a test' }, 'A copy is sent');
await step('the question', { press: 'Release…' }, 'goes out to 2 readers');
await look('the question');
await step('the release', { press: 'Release it' }, 'is released: 1 post to 2 readers');
await browser.close();
