import CKernels

/// Swift names for the kernels on rows of a table that are named by their numbers. Rows have `n` floats.
public enum Gather {
  /// out[j] = x . table[rows[j]]
  @inline(__always)
  public static func dots(
    _ x: UnsafePointer<Float>, _ table: UnsafePointer<Float>, _ rows: UnsafePointer<Int32>, _ count: Int, _ n: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    srs_gather_dots(x, table, rows, count, n, out)
  }

  /// y += sum over j of w[j] * table[rows[j]]
  @inline(__always)
  public static func addSum(
    to y: UnsafeMutablePointer<Float>, _ table: UnsafePointer<Float>, _ rows: UnsafePointer<Int32>, _ w: UnsafePointer<Float>,
    _ count: Int, _ n: Int
  ) {
    srs_gather_sum(y, table, rows, w, count, n)
  }

  /// table[rows[j]] += w[j] * x, in the order of j.
  @inline(__always)
  public static func scatter(
    to table: UnsafeMutablePointer<Float>, _ rows: UnsafePointer<Int32>, _ w: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    _ count: Int, _ n: Int
  ) {
    srs_scatter_add(table, rows, w, x, count, n)
  }
}
