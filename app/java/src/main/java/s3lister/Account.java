package s3lister;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import s3lister.Buckets.Bucket;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.client.config.SdkAdvancedClientOption;
import software.amazon.awssdk.core.retry.RetryMode;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.StsClientBuilder;

/** The AWS account that the SDK's default credential chain leads to. Not for concurrent use. */
final class Account implements Source, AutoCloseable {
  /**
   * How many buckets S3 returns at most in one answer. S3 pages only when it is asked to, and refuses unpaged requests of
   * accounts with a quota above 10,000 buckets.
   */
  static final int PAGE_SIZE = 1000;

  private final DefaultCredentialsProvider credentials;
  private final S3Client s3;
  private final StsClientBuilder stsBuilder;
  /** Made when it is first asked for. */
  private StsClient sts;

  // Who accessKey belongs to: asked again only when the SDK has fetched new credentials.
  private String accessKey = "";
  private String arn = "";

  private Account(DefaultCredentialsProvider credentials, S3Client s3, StsClientBuilder stsBuilder) {
    this.credentials = credentials;
    this.s3 = s3;
    this.stsBuilder = stsBuilder;
  }

  /**
   * Sets up the clients from the environment, and swaps the token meanwhile.
   *
   * @param timeout of one whole listing. An attempt gets a quarter: the SDK makes three, with pauses between them, and up to
   *     four to swap the token.
   */
  static Account open(Duration timeout, Map<String, String> env) {
    if (env.getOrDefault("AWS_REGION", "").isEmpty() && System.getProperty("aws.region") == null) {
      throw new IllegalStateException("no AWS region: set AWS_REGION, for example AWS_REGION=eu-central-1");
    }
    ClientOverrideConfiguration overrides =
        ClientOverrideConfiguration.builder()
            .apiCallTimeout(timeout)
            .apiCallAttemptTimeout(timeout.dividedBy(4))
            .retryStrategy(RetryMode.STANDARD)
            // Shows in CloudTrail's userAgent.
            .putAdvancedOption(SdkAdvancedClientOption.USER_AGENT_SUFFIX, "app/s3-lister")
            .build();
    Http.use(timeout.dividedBy(4));
    DefaultCredentialsProvider credentials = DefaultCredentialsProvider.builder().build();
    ask(credentials);
    S3Client s3 =
        S3Client.builder()
            .credentialsProvider(credentials)
            .overrideConfiguration(overrides)
            // An endpoint that is no name of AWS's has no names for buckets below it.
            .forcePathStyle(endpoint(env) != null)
            .build();
    StsClientBuilder sts =
        StsClient.builder()
            .credentialsProvider((AwsCredentialsProvider) credentials)
            .overrideConfiguration(overrides);
    return new Account(credentials, s3, sts);
  }

  /** Has the credentials fetched, in a thread of its own: half of the way to the first bucket. */
  private static void ask(AwsCredentialsProvider credentials) {
    Runnable fetch =
        () -> {
          try {
            credentials.resolveCredentials();
          } catch (RuntimeException problem) {
            // The first listing asks again, and says what is wrong.
          }
        };
    Thread thread = new Thread(fetch, "credentials");
    thread.setDaemon(true);
    thread.start();
  }

  private static URI endpoint(Map<String, String> env) {
    String url = env.getOrDefault("AWS_ENDPOINT_URL_S3", env.getOrDefault("AWS_ENDPOINT_URL", ""));
    return url.isEmpty() ? null : URI.create(url);
  }

  /** Every bucket of the account, in S3's order, which is by name. */
  @Override
  public List<Bucket> buckets() {
    List<Bucket> buckets = new ArrayList<>();
    s3.listBucketsPaginator(request -> request.maxBuckets(PAGE_SIZE))
        .buckets()
        .forEach(bucket -> buckets.add(new Bucket(bucket.name(), bucket.creationDate())));
    return buckets;
  }

  /** The ARN that the requests are made as. It needs no permission. */
  @Override
  public String identity() {
    AwsCredentials current = credentials.resolveCredentials();
    if (!current.accessKeyId().equals(accessKey)) {
      try {
        if (sts == null) sts = stsBuilder.build();
        arn = sts.getCallerIdentity().arn();
      } catch (RuntimeException problem) {
        throw new Explain.CallException("STS GetCallerIdentity", problem);
      }
      accessKey = current.accessKeyId();
    }
    return arn;
  }

  @Override
  public void close() {
    s3.close();
    if (sts != null) sts.close();
    credentials.close();
  }
}
