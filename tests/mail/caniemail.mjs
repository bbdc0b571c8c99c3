// Asks the data of caniemail.com what mail programs make of a digest's HTML.
//
//   node caniemail.mjs PACKAGES FILE...    PACKAGES is where caniemail is installed (target/node)
//
// Prints one line for each finding that is not allowed, and leaves with 1 if there is any. What is allowed is below, with
// the reason: each of these makes a mail better where it is known, and harms nothing where it is not.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [packages, ...files] = process.argv.slice(2);
const resolve = createRequire(path.join(path.resolve(packages), 'node_modules', 'x.js')).resolve;
const { caniemail } = await import(pathToFileURL(resolve('caniemail')).href);

// Not thunderbird.windows: caniemail 2.0.2 has no data for it and fails.
const CLIENTS = [
  'gmail.*', 'outlook.*', 'apple-mail.*', 'yahoo.*', 'aol.*', 'thunderbird.macos', 'protonmail.*', 'fastmail.*', 'samsung-email.*',
];

const ALLOWED = new Set([
  // The dark scheme and narrow windows. Without them a mail is light, which it is made for, and has wider margins.
  '@media',
  '<style> element',
  'color-scheme meta tag',
  'color-scheme property',
  // Its colour is set on the table in it, too.
  '<body> element',
  // For those who hear a mail; where it is taken out, they hear the same text and the word "table".
  'role attribute',
  // The line that mailboxes show beside the subject. Where it is not hidden, the mail begins with it.
  'display:none',
  'max-height property',
  'overflow',
  // Corners are square, cells as wide as their words, bars as wide as they would be anyhow, links underlined.
  'border-radius',
  'white-space',
  'table-layout',
  'text-decoration',
  // Two ways to break a word that is wider than a telephone: those who do not know the one know the other, but for a few, who
  // make the mail smaller or let it be moved sideways.
  'overflow-wrap',
  'word-break',
  // A logo has its height as an attribute, too.
  'height property',
]);

// It fails where a client has not been tried with a property; of that client then nothing is known about it.
function look(client, html) {
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      return caniemail({ clients: [client], html }).issues.errors;
    } catch (error) {
      const unknown = /^Feature "([a-z-]+)" not found/.exec(error.message);
      if (!unknown) throw error;
      html = html.replaceAll(new RegExp(`${unknown[1]}:[^;"]*;?`, 'g'), '');
    }
  }
  throw new Error(`nothing is known about ${client}`);
}

let bad = 0;
for (const file of files) {
  const html = fs.readFileSync(file, 'utf8');
  const told = new Map();
  for (const asked of CLIENTS) {
    for (const [client, found] of look(asked, html)) {
      for (const { title } of found) {
        if (!ALLOWED.has(title)) told.set(title, new Set([...(told.get(title) ?? []), client]));
      }
    }
  }
  for (const [title, clients] of told) {
    bad += 1;
    console.log(`${path.basename(file)}\t${title}\t${[...clients].join(' ')}`);
  }
}
process.exitCode = bad ? 1 : 0;
