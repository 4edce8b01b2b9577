// 만든 사이트의 찾기를 브라우저 없이 부릅니다: node find.mjs _docs < ["찾을 말", …]
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const site = pathToFileURL(`${process.argv[2]}/`);
const { find, makeIndex } = await import(new URL("find.js", site));
const index = await makeIndex(JSON.parse(readFileSync(new URL("search.json", site), "utf-8")));
const queries = JSON.parse(readFileSync(0, "utf-8"));
const answers = queries.map((query) => find(index, query).slice(0, 20).map(({ entry, near, cover }) => ({ url: entry.url, kind: entry.kind, section: entry.section, near, cover })));
process.stdout.write(JSON.stringify(answers));
