import { render } from "preact";
import { App } from "./app.js";
import { takePictures } from "./parts/take-picture.js";
import { listenToKeys } from "./state/keyboard.js";
import { follow } from "./state/live.js";
import { refreshInfo } from "./state/server.js";

history.scrollRestoration = "manual";
takePictures();
listenToKeys();
void refreshInfo();
follow();
render(<App />, document.body);
