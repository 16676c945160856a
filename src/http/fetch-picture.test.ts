import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { isPublic, pictureFetcher } from "./fetch-picture.js";

const { signal } = new AbortController();

async function listen(t: TestContext, answer: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.host ?? "");
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

// Ranges of RFC 6890, 4291, 6052, 3056, 4380 and 3927, and public resolvers.
test("what is public, in all forms of an address", () => {
  for (const address of ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
    assert.equal(isPublic(address), true, address);
  for (const address of [
    ...["127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"],
    ...["100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
    ...[
      "::1",
      "::",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "::127.0.0.1",
      "fe80::1",
      "fc00::1",
      "fd00:ec2::254",
    ],
    ...["64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "ff02::1", "2001:db8::1", "localhost", ""],
  ])
    assert.equal(isPublic(address), false, address);
});

test("addresses of this machine and its network are refused before anything is asked", async (t) => {
  const { url, asked } = await listen(t, (_, response) => response.end("secret"));
  const port = new URL(url).port;
  const fetch = pictureFetcher({ maxBytes: 100, resolve: async () => ["127.0.0.1"] });
  for (const host of [
    ...[
      "127.0.0.1",
      "localhost",
      "2130706433",
      "0177.0.0.1",
      "0x7f.1",
      "127.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
    ],
    ...["[::ffff:7f00:1]", "0", "169.254.169.254", "127.0.0.1.nip.example"],
  ])
    await assert.rejects(fetch(`http://${host}:${port}/`, signal), {
      code: "input",
      message: "The picture's address cannot be used: it does not lie in the public internet.",
    });
  for (const address of ["file:///etc/passwd", "ftp://8.8.8.8/", "http://user:word@8.8.8.8/", "http://"])
    await assert.rejects(fetch(address, signal), { code: "input" });
  assert.deepEqual(asked, []);
});

test("a redirect to this machine is refused", async (t) => {
  const inner = await listen(t, (_, response) => response.end("secret"));
  const innerPort = new URL(inner.url).port;
  const outer = await listen(t, (_, response) =>
    response.writeHead(302, { Location: `http://127.0.0.2:${innerPort}/` }).end(),
  );
  const fetch = pictureFetcher({ maxBytes: 100, allowed: (address) => address === "127.0.0.1" });
  await assert.rejects(fetch(outer.url, signal), { message: /public internet/ });
  assert.equal(outer.asked.length, 1);
  assert.deepEqual(inner.asked, []);
});

test("a name is resolved once, and the connection goes where it was judged", async (t) => {
  const { url, asked } = await listen(t, (_, response) => response.end("picture"));
  const port = new URL(url).port;
  // A rebinding name: harmless when it is judged, another address a moment later.
  const answers = [["127.0.0.1"], ["127.0.0.2"]];
  const fetch = pictureFetcher({
    maxBytes: 100,
    allowed: (address) => address === "127.0.0.1",
    resolve: async () => answers.shift() ?? [],
  });
  assert.equal(Buffer.from(await fetch(`http://rebind.example:${port}/`, signal)).toString(), "picture");
  assert.deepEqual([asked, answers.length], [[`rebind.example:${port}`], 1]);
});

test("one private address among a name's is enough to refuse it", async () => {
  const fetch = pictureFetcher({ maxBytes: 100, resolve: async () => ["8.8.8.8", "10.0.0.1"] });
  await assert.rejects(fetch("http://mixed.example/", signal), { message: /public internet/ });
});

test("endless redirects, other statuses and large files end", async (t) => {
  const { url } = await listen(t, ({ url }, response) => {
    if (url === "/loop") response.writeHead(302, { Location: "/loop" }).end();
    else if (url === "/large") response.end(Buffer.alloc(1000));
    else response.writeHead(404).end();
  });
  const fetch = pictureFetcher({ maxBytes: 100, allowed: () => true });
  await assert.rejects(fetch(`${url}/loop`, signal), { message: /redirects more than 3 times/ });
  await assert.rejects(fetch(`${url}/large`, signal), { message: /more than 100 bytes/ });
  await assert.rejects(fetch(`${url}/absent`, signal), { message: /status 404/ });
});
