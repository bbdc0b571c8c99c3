// Does in a browser what it is told, a step a line, and answers each with what is to be seen then. Scripts are switched
// off: no page may need one. `walk.mjs '{"chromium": …, "keys": true}'`; ends with its input.

import { createInterface } from 'node:readline';

import { act, launch, pageIn } from './hand.mjs';

const { chromium, keys } = JSON.parse(process.argv[2]);
const browser = await launch(chromium);
const context = await browser.newContext({ javaScriptEnabled: false });
const page = await pageIn(context);
const asked = [];
page.on('request', (request) => asked.push(request.url()));

const say = (facts) => process.stdout.write(`${JSON.stringify(facts)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const status = await act(page, JSON.parse(line), keys);
    const text = await page.locator('main').innerText();
    const heading = await page.locator('h1').innerText();
    const lang = await page.locator('html').getAttribute('lang');
    say({ status, heading, text, lang, cookies: await context.cookies(), asked });
  } catch (error) {
    say({ error: String(error), line, url: page.url(), page: await page.content() });
  }
}
await browser.close();
