package s3lister;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.SdkServiceException;

/** What went wrong, in one line: AWS's code and message first, then the call that failed. */
final class Explain {
  private Explain() {}

  /** A call to AWS that failed. */
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
    String text = String.valueOf(problem.getMessage());
    if (text.startsWith("Unable to load credentials")) {
      return line(
          "NoCredentials: the environment has no keys and no web identity token (AWS_ROLE_ARN and "
              + "AWS_WEB_IDENTITY_TOKEN_FILE) or agent (AWS_CONTAINER_CREDENTIALS_FULL_URI), one of which EKS puts into the pod: "
              + text);
    }
    if (isTimeout(problem)) text = "no answer in time";
    CallException failed = failedCall(problem);
    if (failed == null) return line(isTimeout(problem) ? "Timeout: " + text : text);
    String call = failed.call;
    AwsServiceException answer = find(problem, AwsServiceException.class);
    if (answer != null) {
      text = Optional.ofNullable(answer.awsErrorDetails().errorMessage()).orElse("AWS gave no message");
      call += ", HTTP " + answer.statusCode() + (answer.requestId() == null ? "" : ", request id " + answer.requestId());
    } else {
      // The agent's, of which the SDK keeps no more.
      SdkServiceException refusal = find(problem, SdkServiceException.class);
      if (refusal != null) call += ", HTTP " + refusal.statusCode();
    }
    return line("%s: %s (%s)".formatted(code(problem), text, call));
  }

  /** AWS's code for the error, such as AccessDenied. Where no answer came it is Timeout or RequestError, else Error. */
  static String code(Throwable problem) {
    AwsServiceException answer = find(problem, AwsServiceException.class);
    if (answer != null && answer.awsErrorDetails().errorCode() != null) return answer.awsErrorDetails().errorCode();
    if (isTimeout(problem)) return "Timeout";
    return find(problem, IOException.class) != null ? "RequestError" : "Error";
  }

  /** Whether S3 itself answered: then there were credentials. */
  static boolean reachedS3(Throwable problem) {
    CallException failed = failedCall(problem);
    return failed != null && failed.call.startsWith("S3 ") && find(problem, AwsServiceException.class) != null;
  }

  /** The innermost call: where listing fails because STS refused the token, STS's. Null when it was none. */
  private static CallException failedCall(Throwable problem) {
    CallException outer = find(problem, CallException.class);
    CallException inner = outer == null ? null : failedCall(outer.getCause());
    return inner == null ? outer : inner;
  }

  private static boolean isTimeout(Throwable problem) {
    return find(problem, TimeoutException.class) != null
        || find(problem, ApiCallAttemptTimeoutException.class) != null
        || find(problem, SocketTimeoutException.class) != null;
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
