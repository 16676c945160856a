import { memoryStore } from "./memory.js";
import { testStore } from "./store-suite.js";

testStore("memory", { create: async () => memoryStore() });
