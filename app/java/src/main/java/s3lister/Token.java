package s3lister;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * What the pod's web identity token says about itself. It is shown, never trusted: nothing here checks the signature. STS
 * does.
 *
 * @param expires null when the token does not say.
 */
record Token(String issuer, String subject, List<String> audience, Instant expires) {

  /** The file that AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read. */
  static final class UnreadableException extends IOException {
    private static final long serialVersionUID = 1;

    UnreadableException(String file, IOException cause) {
      super(
          "cannot read the web identity token %s, which AWS_WEB_IDENTITY_TOKEN_FILE names: %s"
              .formatted(file, reason(cause)),
          cause);
    }

    private static String reason(IOException cause) {
      if (cause instanceof NoSuchFileException) return "no such file or directory";
      if (cause instanceof AccessDeniedException) return "permission denied";
      return cause.getMessage();
    }
  }

  /** Throws when there is a file that cannot be read. */
  static void requireReadable(String file) throws UnreadableException {
    if (!file.isEmpty()) text(file);
  }

  /**
   * Reads the token afresh, since the kubelet replaces it while the pod runs.
   *
   * @return null when {@code file} is empty: then there is no token.
   */
  static Token read(String file) throws IOException {
    if (file.isEmpty()) return null;
    String text = text(file);
    try {
      return parse(text);
    } catch (IOException | IllegalArgumentException problem) {
      throw new IOException("the web identity token in %s: %s".formatted(file, problem.getMessage()), problem);
    }
  }

  private static String text(String file) throws UnreadableException {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException cause) {
      throw new UnreadableException(file, cause);
    }
  }

  /** Decodes a JWT's claims without verifying it. Source of the format: RFC 7519, section 4.1. */
  static Token parse(String token) throws IOException {
    String[] parts = token.strip().split("\\.", -1);
    if (parts.length != 3) throw new IOException("not a JWT: %d parts instead of 3".formatted(parts.length));
    Map<String, Object> claims;
    try {
      claims = JSON.std.mapFrom(Base64.getUrlDecoder().decode(parts[1]));
    } catch (IllegalArgumentException problem) {
      throw new IOException("not a JWT: its claims are not base64url", problem);
    } catch (IOException problem) {
      throw new IOException("not a JWT: its claims are not what they should be", problem);
    }
    Object audience = claims.get("aud");
    Object expires = claims.get("exp");
    return new Token(
        String.valueOf(claims.getOrDefault("iss", "")),
        String.valueOf(claims.getOrDefault("sub", "")),
        audience instanceof List<?> list
            ? list.stream().map(String::valueOf).toList()
            : audience == null ? List.of() : List.of(String.valueOf(audience)),
        expires instanceof Number seconds ? Instant.ofEpochSecond(seconds.longValue()) : null);
  }
}
