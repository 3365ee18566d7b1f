/** The least that one can see start and rest: it prints a line and waits. */
public final class Rest {
  public static void main(String[] args) throws InterruptedException {
    System.out.println("* nothing");
    Thread.sleep(Long.MAX_VALUE);
  }
}
