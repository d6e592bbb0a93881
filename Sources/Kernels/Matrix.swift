import CBLAS

/// Matrix products over raw row-major memory. All go through one seam, so that another BLAS or kernels of our own can
/// take its place.
public enum Matrix {
  public static let setUp: Void = srs_blas_setup()

  /// Name of the BLAS kernels chosen for this processor.
  public static var kernels: String { String(cString: srs_blas_kernels()) }

  /// C (m x n) = A (m x k) B (k x n) [+ C].
  @inline(__always)
  public static func product(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    add: Bool = false, lda: Int? = nil, ldb: Int? = nil, ldc: Int? = nil
  ) {
    guard m > 0 && n > 0 else { return }
    srs_sgemm(
      false, false, Int32(m), Int32(n), Int32(k), a, Int32(lda ?? k), b, Int32(ldb ?? n), add ? 1 : 0, c,
      Int32(ldc ?? n))
  }

  /// C (m x n) = A (m x k) B^T (B is n x k) [+ C].
  @inline(__always)
  public static func productTransposedRight(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    add: Bool = false, lda: Int? = nil, ldb: Int? = nil, ldc: Int? = nil
  ) {
    guard m > 0 && n > 0 else { return }
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
    srs_sgemm(
      true, false, Int32(m), Int32(n), Int32(k), a, Int32(lda ?? m), b, Int32(ldb ?? n), add ? 1 : 0, c,
      Int32(ldc ?? n))
  }
}
