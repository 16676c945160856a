import { z } from "zod";
import { sessionCookie, sessionOf } from "../gate.js";
import { Refusal } from "../refusal.js";
import { defineRoute, type Route } from "../route.js";
import type { Serving } from "../serving.js";
import { timingSafeEqual } from "node:crypto";

/** A browser's pages and pictures cannot send a token: they keep a cookie that was given for it. */
export const loginRoutes = ({ token }: Serving): Route[] => [
  defineRoute({
    method: "post",
    path: "/api/login",
    chapter: "Server",
    summary: "Give the token once; the browser's cookie opens the server from then on",
    input: z.object({ token: z.string().max(1000) }),
    output: z.object({ status: z.literal("ok") }),
    run({ token: given }) {
      if (token === undefined) return { status: "ok" };
      const session = sessionOf(token);
      if (!timingSafeEqual(Buffer.from(sessionOf(given)), Buffer.from(session)))
        throw new Refusal("unauthorized", "This is not the server's token.");
      const cookie = `${sessionCookie}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000`;
      return Response.json({ status: "ok" }, { headers: { "Set-Cookie": cookie } });
    },
  }),
];
