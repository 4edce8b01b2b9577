// 수식 목록(JSON)을 표준 입력으로 받아 HTML 목록을 돌려줍니다. 블로그 전체를 프로세스 하나가 맡습니다.
import { readFileSync } from "node:fs";
import katex from "katex";

const strict = (code) => (code === "unicodeTextInMathMode" ? "error" : "ignore");

const set = ({ tex, display }) => {
  try {
    return { html: katex.renderToString(tex, { displayMode: display, strict, throwOnError: true }) };
  } catch (error) {
    return { error: error.message };
  }
};

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(set)));
