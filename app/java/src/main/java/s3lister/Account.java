package s3lister;

import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import s3lister.Buckets.Bucket;
import s3lister.Explain.CallException;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.SdkSystemSetting;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.client.config.SdkAdvancedClientOption;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.ProxyConfiguration;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsWebIdentityTokenFileCredentialsProvider;
import software.amazon.awssdk.services.sts.model.IdpCommunicationErrorException;

/** The AWS account that the environment's credentials belong to. Not for concurrent use. */
final class Account implements Source, AutoCloseable {
  /**
   * How many buckets S3 returns at most in one answer. S3 pages only when it is asked to, and refuses unpaged requests of
   * accounts with a quota above 10,000 buckets.
   */
  static final int PAGE_SIZE = 1000;

  private final Duration timeout;
  private final StsClient sts;
  private final AwsCredentialsProvider credentials;
  private final S3Client s3;
  /** Where listings run, so that whoever waits for one need not wait longer than its timeout. */
  private final ExecutorService worker = Executors.newSingleThreadExecutor(Account::daemon);

  // Who accessKey belongs to: asked again only when the SDK has fetched new credentials.
  private String accessKey = "";
  private String arn = "";

  /**
   * Sets up the clients from the environment; it sends no request.
   *
   * @param timeout of one whole listing. An attempt gets a quarter: the SDK makes three, with pauses between them.
   */
  Account(Duration timeout, Map<String, String> env) {
    if (env.getOrDefault("AWS_REGION", "").isEmpty() && System.getProperty("aws.region") == null) {
      throw new IllegalStateException("no AWS region: set AWS_REGION, for example AWS_REGION=eu-central-1");
    }
    Duration attempt = timeout.dividedBy(4);
    ClientOverrideConfiguration overrides =
        ClientOverrideConfiguration.builder()
            .apiCallAttemptTimeout(attempt)
            // STS says so while it cannot fetch the cluster's keys: the SDK's own client for the swap tries again too.
            .retryStrategy(
                AwsRetryStrategy.standardRetryStrategy().toBuilder().retryOnException(IdpCommunicationErrorException.class).build())
            // Shows in CloudTrail's userAgent.
            .putAdvancedOption(SdkAdvancedClientOption.USER_AGENT_SUFFIX, "app/s3-lister")
            .build();
    this.timeout = timeout;
    this.sts =
        StsClient.builder()
            // What swaps the token is not signed; what is brings its own.
            .credentialsProvider(AnonymousCredentialsProvider.create())
            .httpClient(http(endpoint("STS", env), attempt))
            .overrideConfiguration(overrides)
            .build();
    this.credentials = credentials(sts);
    String s3Endpoint = endpoint("S3", env);
    this.s3 =
        S3Client.builder()
            .credentialsProvider(credentials)
            .httpClient(http(s3Endpoint, attempt))
            .overrideConfiguration(overrides)
            // An endpoint that is no name of AWS's has no names for buckets below it.
            .forcePathStyle(!s3Endpoint.isEmpty())
            .build();
  }

  /**
   * Keys, else the pod's token, else the agent of EKS Pod Identity, else what the default chain finds. The chain would take
   * token and agent too; but where STS or the agent refuses it goes on to the next source, and what was said is lost.
   */
  private static AwsCredentialsProvider credentials(StsClient sts) {
    if (isSet(SdkSystemSetting.AWS_ACCESS_KEY_ID)) return DefaultCredentialsProvider.builder().build();
    if (isSet(SdkSystemSetting.AWS_WEB_IDENTITY_TOKEN_FILE)) {
      var swap = StsWebIdentityTokenFileCredentialsProvider.builder().stsClient(sts).build();
      return () -> call("STS AssumeRoleWithWebIdentity", swap::resolveCredentials);
    }
    if (isSet(SdkSystemSetting.AWS_CONTAINER_CREDENTIALS_FULL_URI)) {
      // Of a refusal it keeps the HTTP status only; the agent's log has EKS Auth's words.
      var agent = ContainerCredentialsProvider.builder().build();
      return () -> call("EKS Pod Identity agent GetCredentials", agent::resolveCredentials);
    }
    return DefaultCredentialsProvider.builder().build();
  }

  private static boolean isSet(SdkSystemSetting setting) {
    return setting.getStringValue().filter(value -> !value.isEmpty()).isPresent();
  }

  /** The endpoint of a service instead of AWS's own; empty when there is none. */
  private static String endpoint(String service, Map<String, String> env) {
    return env.getOrDefault("AWS_ENDPOINT_URL_" + service, env.getOrDefault("AWS_ENDPOINT_URL", ""));
  }

  private static SdkHttpClient http(String endpoint, Duration timeout) {
    String scheme = endpoint.startsWith("http:") ? "http" : "https";
    // By itself the SDK takes HTTP_PROXY for https endpoints too, and HTTPS_PROXY for none (aws-sdk-java-v2#3868).
    var proxy = ProxyConfiguration.builder().scheme(scheme);
    ProxyConfiguration found = proxy.build();
    if (scheme.equals("https") && found.username() != null && found.password() != null) {
      // By itself it tells them to AWS, in a header of the request in the tunnel, and not to the proxy.
      proxy.username("").password("");
      System.setProperty("jdk.http.auth.tunneling.disabledSchemes", "");
      Authenticator.setDefault(new ProxyAuthenticator(found));
    }
    return UrlConnectionHttpClient.builder()
        .connectionTimeout(timeout)
        .socketTimeout(timeout)
        .proxyConfiguration(proxy.build())
        .build();
  }

  /** Tells a proxy who asks, when it wants to know. */
  private static final class ProxyAuthenticator extends Authenticator {
    private final ProxyConfiguration proxy;

    ProxyAuthenticator(ProxyConfiguration proxy) {
      this.proxy = proxy;
    }

    @Override
    protected PasswordAuthentication getPasswordAuthentication() {
      boolean forProxy = getRequestorType() == RequestorType.PROXY;
      return forProxy ? new PasswordAuthentication(proxy.username(), proxy.password().toCharArray()) : null;
    }
  }

  /** Every bucket of the account, in S3's order, which is by name. */
  @Override
  public List<Bucket> buckets() throws Exception {
    return within(timeout, () -> call("S3 ListBuckets", this::list));
  }

  private List<Bucket> list() {
    List<Bucket> buckets = new ArrayList<>();
    s3.listBucketsPaginator(request -> request.maxBuckets(PAGE_SIZE))
        .buckets()
        .forEach(bucket -> buckets.add(new Bucket(bucket.name(), bucket.creationDate())));
    return buckets;
  }

  /** The ARN that the requests are made as. It needs no permission. */
  @Override
  public String identity() throws Exception {
    return within(timeout.dividedBy(4), () -> call("STS GetCallerIdentity", this::ask));
  }

  private String ask() {
    AwsCredentials current = credentials.resolveCredentials();
    if (!current.accessKeyId().equals(accessKey)) {
      arn = sts.getCallerIdentity(request -> request.overrideConfiguration(o -> o.credentialsProvider(() -> current))).arn();
      accessKey = current.accessKeyId();
    }
    return arn;
  }

  /** Names the call that failed, which the SDK's exceptions do not. */
  private static <T> T call(String name, Supplier<T> task) {
    try {
      return task.get();
    } catch (RuntimeException problem) {
      throw new CallException(name, problem);
    }
  }

  /**
   * Waits for the end of a task, and no longer than that.
   *
   * @throws java.util.concurrent.TimeoutException when it takes longer. It is interrupted, and ends with its attempt.
   */
  private <T> T within(Duration limit, Callable<T> task) throws Exception {
    try {
      return worker.invokeAny(List.of(task), limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException failure) {
      throw failure.getCause() instanceof Exception cause ? cause : failure;
    }
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "aws");
    thread.setDaemon(true);
    return thread;
  }

  @Override
  public void close() {
    worker.shutdownNow();
    s3.close();
    sts.close();
  }
}
