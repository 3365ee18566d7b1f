package original;

import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.Bucket;

/** Lists the S3 buckets of its account as a newcomer's tutorial has it; {@code bench/lister.ts} measures against it. */
public final class Original {
  public static void main(String[] args) throws InterruptedException {
    S3Client s3 = S3Client.builder().forcePathStyle(System.getenv("AWS_ENDPOINT_URL") != null).build();
    System.out.println("Buckets:");
    for (Bucket bucket : s3.listBuckets().buckets()) {
      System.out.println("* " + bucket.name() + " created on " + bucket.creationDate());
    }
    // The container stays, so that there is a log to read.
    Thread.sleep(Long.MAX_VALUE);
  }
}
