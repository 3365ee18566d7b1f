package s3lister;

import java.net.SocketTimeoutException;
import java.util.Optional;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkClientException;

/** What went wrong, in one line: AWS's code and message first, then the call that failed. */
final class Explain {
  private Explain() {}

  /** A call that failed, where the SDK's own exception does not tell which it was. */
  static final class CallException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Service and operation: {@code STS GetCallerIdentity}. */
    final String call;

    CallException(String call, RuntimeException cause) {
      super(cause.getMessage(), cause);
      this.call = call;
    }
  }

  static String explain(Throwable problem) {
    AwsServiceException answer = find(problem, AwsServiceException.class);
    if (answer != null) {
      var details = answer.awsErrorDetails();
      String message = Optional.ofNullable(details.errorMessage()).filter(text -> !text.isBlank()).orElse("AWS gave no message");
      String request = answer.requestId() == null ? "" : ", request id " + answer.requestId();
      return line("%s: %s (%s, HTTP %d%s)".formatted(code(problem), message, call(problem), answer.statusCode(), request));
    }
    if (isTimeout(problem)) return line("Timeout: no answer in time");
    String text = String.valueOf(problem.getMessage());
    if (text.startsWith("Unable to load credentials")) {
      return line(
          "NoCredentials: the environment has no keys and no web identity token (AWS_ROLE_ARN and "
              + "AWS_WEB_IDENTITY_TOKEN_FILE, which EKS puts into the pod): "
              + text);
    }
    return line(problem instanceof SdkClientException ? code(problem) + ": " + text : text);
  }

  /** AWS's code for the error, such as AccessDenied. Where no answer came it is Timeout or RequestError, else Error. */
  static String code(Throwable problem) {
    AwsServiceException answer = find(problem, AwsServiceException.class);
    if (answer != null && answer.awsErrorDetails() != null && answer.awsErrorDetails().errorCode() != null) {
      return answer.awsErrorDetails().errorCode();
    }
    if (isTimeout(problem)) return "Timeout";
    return find(problem, java.io.IOException.class) != null ? "RequestError" : "Error";
  }

  /** Whether S3 itself answered: then there were credentials. */
  static boolean reachedS3(Throwable problem) {
    AwsServiceException answer = find(problem, AwsServiceException.class);
    return answer != null && answer.getClass().getName().contains(".s3.");
  }

  /** Service and operation that failed. Without credentials of their own, all that STS is asked is to swap the token. */
  private static String call(Throwable problem) {
    CallException known = find(problem, CallException.class);
    if (known != null) return known.call;
    return reachedS3(problem) ? "S3 ListBuckets" : "STS AssumeRoleWithWebIdentity";
  }

  private static boolean isTimeout(Throwable problem) {
    return find(problem, ApiCallTimeoutException.class) != null
        || find(problem, ApiCallAttemptTimeoutException.class) != null
        || find(problem, SocketTimeoutException.class) != null
        || find(problem, AbortedException.class) != null;
  }

  private static <T> T find(Throwable problem, Class<T> type) {
    for (Throwable one = problem; one != null; one = one.getCause()) {
      if (type.isInstance(one)) return type.cast(one);
    }
    return null;
  }

  private static String line(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
