import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { logIn } from "../api/client.js";
import { edition } from "../state/results.js";
import { locked, refreshInfo } from "../state/server.js";
import { words } from "../words/words.js";

/** Asks for the server's token, which the server turns into a cookie. */
export function Login(): JSX.Element {
  const w = words.value.login;
  const [wrong, setWrong] = useState(false);
  const enter = async (token: string): Promise<void> => {
    try {
      await logIn(token);
      await refreshInfo();
      edition.value++;
    } catch {
      setWrong(true);
    }
    setWrong(locked.value);
  };
  return (
    <main class="welcome">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const token = new FormData(event.currentTarget).get("token");
          if (typeof token === "string") void enter(token);
        }}
      >
        <h1>{w.title}</h1>
        <label class="field">
          <span>{w.token}</span>
          <input type="password" name="token" autocomplete="current-password" required />
        </label>
        {wrong && <p role="alert">{w.wrong}</p>}
        <button type="submit" class="chip strong">
          {w.enter}
        </button>
      </form>
    </main>
  );
}
