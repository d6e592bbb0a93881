import CBLAS
import CKernels

/// Matrix products over raw row-major memory. All go through one seam: kernels of our own where the result's columns are
/// a multiple of 16 and the processor has AVX-512, for which they were measured; OpenBLAS elsewhere.
public enum Matrix {
  public static let setUp: Void = srs_blas_setup()

  /// Name of the BLAS kernels chosen for this processor.
  public static var kernels: String { String(cString: srs_blas_kernels()) }

  /// Are the products of our own in use?
  public static let hasOwnKernels = Elementwise.instructionSet == "avx512"

  /// Values of a transposed right side that are kept on the stack.
  private static let largestTransposed = 32_768

  /// Does a row of a product of so many columns depend on that row alone, to the bit? OpenBLAS rounds by the number of rows.
  public static func isRowByRow(columns n: Int) -> Bool { isOurs(n) }

  @inline(__always)
  static func isOurs(_ n: Int) -> Bool { hasOwnKernels && n & 15 == 0 }

  /// C (m x n) = A (m x k) B (k x n) [+ C].
  @inline(__always)
  public static func product(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    add: Bool = false, lda: Int? = nil, ldb: Int? = nil, ldc: Int? = nil
  ) {
    guard m > 0 && n > 0 else { return }
    if isOurs(n) { return srs_product(m, n, k, a, lda ?? k, b, ldb ?? n, c, ldc ?? n, add ? 1 : 0) }
    srs_sgemm(
      false, false, Int32(m), Int32(n), Int32(k), a, Int32(lda ?? k), b, Int32(ldb ?? n), add ? 1 : 0, c,
      Int32(ldc ?? n))
  }

  /// Most terms of `productSum`.
  static let mostTerms = 3

  /// C (m x n) = sum over terms of A (m x k) B (k x n) [+ C], C being written once. For kernels of our own only.
  @inline(__always)
  static func productSum(
    _ terms: Int, _ a: UnsafePointer<UnsafePointer<Float>?>, _ b: UnsafePointer<UnsafePointer<Float>?>,
    _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int, add: Bool
  ) {
    srs_product_sum(terms, m, n, k, a, b, c, add ? 1 : 0)
  }

  /// C (m x n) = A (m x k) B^T (B is n x k) [+ C].
  @inline(__always)
  public static func productTransposedRight(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    add: Bool = false, lda: Int? = nil, ldb: Int? = nil, ldc: Int? = nil
  ) {
    guard m > 0 && n > 0 else { return }
    // Turning B over costs as much as one row of A.
    if isOurs(n), m >= 16, n * k <= largestTransposed {
      return withUnsafeTemporaryAllocation(of: Float.self, capacity: n * k) { turned in
        guard let right = turned.baseAddress else { return }
        srs_transpose(n, k, b, ldb ?? k, right, n)
        srs_product(m, n, k, a, lda ?? k, right, n, c, ldc ?? n, add ? 1 : 0)
      }
    }
    srs_sgemm(
      false, true, Int32(m), Int32(n), Int32(k), a, Int32(lda ?? k), b, Int32(ldb ?? k), add ? 1 : 0, c,
      Int32(ldc ?? n))
  }

  /// C (m x n) = A^T (A is k x m) B (k x n) [+ C].
  @inline(__always)
  public static func productTransposedLeft(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    add: Bool = false, lda: Int? = nil, ldb: Int? = nil, ldc: Int? = nil
  ) {
    guard m > 0 && n > 0 else { return }
    if isOurs(n) { return srs_product_left(m, n, k, a, lda ?? m, b, ldb ?? n, c, ldc ?? n, add ? 1 : 0) }
    srs_sgemm(
      true, false, Int32(m), Int32(n), Int32(k), a, Int32(lda ?? m), b, Int32(ldb ?? n), add ? 1 : 0, c,
      Int32(ldc ?? n))
  }

  /// y (columns x rows) = x^T, x (rows x columns).
  @inline(__always)
  public static func transpose(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, columns: Int, ldx: Int? = nil,
    ldy: Int? = nil
  ) {
    srs_transpose(rows, columns, x, ldx ?? columns, y, ldy ?? rows)
  }
}
