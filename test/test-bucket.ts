const { CLIPT_TEST_S3: server } = process.env;

/** Options for a test that needs object storage: skipped where `CLIPT_TEST_S3` names none. */
export const needsObjectStorage: { skip: string | false } = {
  skip: server === undefined || server === "" ? "CLIPT_TEST_S3 names no object storage" : false,
};

/** A new bucket on that server, `s3://…`; from here on this process's S3 is that server. */
export async function testBucket(): Promise<string> {
  Object.assign(process.env, {
    AWS_ENDPOINT: server,
    AWS_ALLOW_HTTP: "true",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  });
  const name = `clipt-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const made = await fetch(new URL(name, server), { method: "PUT" });
  if (!made.ok) throw new Error(`The bucket cannot be made: ${made.status} ${await made.text()}`);
  return `s3://${name}`;
}
