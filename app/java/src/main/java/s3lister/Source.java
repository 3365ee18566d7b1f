package s3lister;

import java.util.List;
import s3lister.Buckets.Bucket;

/** Where the buckets come from: an account, or a test's stand-in for one. */
interface Source {
  List<Bucket> buckets() throws Exception;

  String identity() throws Exception;
}
