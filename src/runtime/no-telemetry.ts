// ONNX Runtime 1.30 keeps a device id in the user's cache folder and reports usage over the network. This turns it
// off, when it is evaluated before the library is loaded, and in the main thread: the environment that a worker thread
// sees is a copy.
process.env.ORT_DISABLE_TELEMETRY = "1";
