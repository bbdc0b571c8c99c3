// What rss-parser and feedsmith see in each of these files: `node read.js NODE_MODULES FILE...` prints, for each reader and
// file, a list of [id, title, link, seconds].
const fs = require('fs');
const [modules, ...files] = process.argv.slice(2);
const Parser = require(`${modules}/rss-parser`);
const feedsmith = require(`${modules}/feedsmith`);

// feedsmith gives Atom's texts with their type.
const plain = (text) => (text && typeof text === 'object' ? text.value : text);
const seconds = (date) => Math.floor(new Date(date).getTime() / 1000);

function ofFeedsmith({ format, feed }) {
  switch (format) {
    case 'rss':
      return feed.items.map((i) => [i.guid.value, i.title, i.link, seconds(i.pubDate)]);
    case 'atom':
      return feed.entries.map((e) => [e.id, plain(e.title), e.links.find((l) => l.rel === 'alternate').href, seconds(e.published)]);
    default:
      return feed.items.map((i) => [i.id, i.title, i.url, seconds(i.date_published)]);
  }
}

async function main() {
  const out = [];
  for (const file of files) {
    const text = fs.readFileSync(file, 'utf8');
    out.push({ reader: 'feedsmith', file, entries: ofFeedsmith(feedsmith.parseFeed(text)) });
    if (file.endsWith('.json')) continue;
    const { items } = await new Parser().parseString(text);
    out.push({ reader: 'rss-parser', file, entries: items.map((i) => [i.guid || i.id, i.title, i.link, seconds(i.isoDate)]) });
  }
  console.log(JSON.stringify(out));
}

main();
