import CBLAS
import CKernels

/// Matrix products over raw row-major memory.
///
/// `CKernels` computes a product if the processor has AVX-512 and the number of result columns is a multiple of 16. There
/// it was measured to be faster. OpenBLAS computes all other products. `lda`, `ldb` and `ldc` are the floats from one row
/// to the next; by default rows follow each other without a gap.
public enum Matrix {
  public static let setUp: Void = srs_blas_setup()

  /// The name of the OpenBLAS kernels chosen for this processor.
  public static var kernels: String { String(cString: srs_blas_kernels()) }

  /// Whether this processor can run the products of `CKernels`.
  public static let hasOwnKernels = Elementwise.instructionSet == "avx512"

  /// The largest right side, in floats, that `productTransposedRight` transposes on the stack.
  private static let largestTransposed = 32_768

  /// Whether the bits of a result row depend on its own left row only, for products with `n` columns. This holds for
  /// `CKernels`. OpenBLAS may round a row differently when the number of rows changes.
  public static func isRowByRow(columns n: Int) -> Bool { usesOwnKernels(columns: n) }

  /// Whether `CKernels` computes products with `n` result columns.
  @inline(__always)
  static func usesOwnKernels(columns n: Int) -> Bool { hasOwnKernels && n & 15 == 0 }

  /// C (m x n) = A (m x k) B (k x n) [+ C].
  @inline(__always)
  public static func product(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    add: Bool = false, lda: Int? = nil, ldb: Int? = nil, ldc: Int? = nil
  ) {
    guard m > 0 && n > 0 else { return }
    if usesOwnKernels(columns: n) { return srs_product(m, n, k, a, lda ?? k, b, ldb ?? n, c, ldc ?? n, add ? 1 : 0) }
    srs_sgemm(
      false, false, Int32(m), Int32(n), Int32(k), a, Int32(lda ?? k), b, Int32(ldb ?? n), add ? 1 : 0, c,
      Int32(ldc ?? n))
  }

  /// The largest number of terms that `productSum` takes.
  static let maximumTerms = 3

  /// C (m x n) = sum over terms of A (m x k) B (k x n) [+ C]. Writes C once. Only valid where `usesOwnKernels(columns: n)`.
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
    // Transposing B costs about as much as the product for one row of A, so it pays from 16 rows on.
    if usesOwnKernels(columns: n), m >= 16, n * k <= largestTransposed {
      return withUnsafeTemporaryAllocation(of: Float.self, capacity: n * k) { transposed in
        guard let right = transposed.baseAddress else { return }
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
    if usesOwnKernels(columns: n) { return srs_product_left(m, n, k, a, lda ?? m, b, ldb ?? n, c, ldc ?? n, add ? 1 : 0) }
    srs_sgemm(
      true, false, Int32(m), Int32(n), Int32(k), a, Int32(lda ?? m), b, Int32(ldb ?? n), add ? 1 : 0, c,
      Int32(ldc ?? n))
  }

  /// y (columns x rows) = x^T (x is rows x columns).
  @inline(__always)
  public static func transpose(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, columns: Int, ldx: Int? = nil,
    ldy: Int? = nil
  ) {
    srs_transpose(rows, columns, x, ldx ?? columns, y, ldy ?? rows)
  }
}
