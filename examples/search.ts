// Finds pictures by describing them: node dist/examples/search.js "a cat" examples/pictures
import { search } from "clipt";

const [query = "a cat", folder = "examples/pictures"] = process.argv.slice(2);
const answer = await search({ query, folder, k: 3 });
for (const { results } of [answer].flat())
  for (const { path, score } of results) console.log(score.toFixed(3), path);
