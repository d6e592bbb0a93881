// Matrix products whose right side is narrow or packed; included after kernels.inc.h, whose helpers it uses.
//
// OpenBLAS copies both sides into panels first. Here they are used where they lie: a tile of C stays in registers, the
// right side is read in whole vectors, the left side one value at a time. On the sizes of the blocks (300 rows, 64 or 128
// columns) that is 15 to 20 % faster than OpenBLAS and as fast as libxsmm, both measured; see docs/performance.md.

#define FOR(i, n) _Pragma("unroll") for (size_t i = 0; i < n; i++)

// A tile of ROWS x 16 VECTORS of C. Element (i, p) of A is at a[i * ars + p * acs].
#define TILE(ROWS, VECTORS)                                                                                            \
  INLINE void tile_##ROWS##_##VECTORS(size_t k, const float *a, size_t ars, size_t acs, const float *b, size_t ldb,    \
                                      float *c, size_t ldc, int add) {                                                 \
    v16 sum[ROWS][VECTORS];                                                                                            \
    FOR(i, ROWS) FOR(j, VECTORS) sum[i][j] = splat(0);                                                                 \
    for (size_t p = 0; p < k; p++) {                                                                                   \
      v16 right[VECTORS];                                                                                              \
      FOR(j, VECTORS) right[j] = load(b + p * ldb + 16 * j);                                                           \
      FOR(i, ROWS) {                                                                                                   \
        v16 left = splat(a[i * ars + p * acs]);                                                                        \
        FOR(j, VECTORS) sum[i][j] += left * right[j];                                                                  \
      }                                                                                                                \
    }                                                                                                                  \
    /* C is read last: nothing waits for it. */                                                                        \
    FOR(i, ROWS) FOR(j, VECTORS) {                                                                                     \
      float *at = c + i * ldc + 16 * j;                                                                                \
      store(at, add ? load(at) + sum[i][j] : sum[i][j]);                                                               \
    }                                                                                                                  \
  }

// All rows of a column of tiles: as many tiles of ROWS as there are, then four rows, then single ones.
#define COLUMN(ROWS, VECTORS)                                                                                          \
  INLINE void column_##VECTORS(size_t m, size_t k, const float *a, size_t ars, size_t acs, const float *b, size_t ldb, \
                               float *c, size_t ldc, int add) {                                                        \
    size_t i = 0;                                                                                                      \
    for (; i + ROWS <= m; i += ROWS) tile_##ROWS##_##VECTORS(k, a + i * ars, ars, acs, b, ldb, c + i * ldc, ldc, add);  \
    for (; i + 4 <= m; i += 4) tile_4_##VECTORS(k, a + i * ars, ars, acs, b, ldb, c + i * ldc, ldc, add);              \
    for (; i < m; i++) tile_1_##VECTORS(k, a + i * ars, ars, acs, b, ldb, c + i * ldc, ldc, add);                      \
  }

#define IS_v4 1
#define IS_v3 0
#define IS_baseline 0
#define IS2(isa) IS_##isa
#define IS(isa) IS2(isa)
TILE(1, 1)
TILE(4, 1)
#if IS(ISA)
// 32 registers: 24 sums, 4 of the right side, 1 of the left.
TILE(14, 1)
COLUMN(14, 1)
TILE(1, 2)
TILE(4, 2)
TILE(12, 2)
COLUMN(12, 2)
TILE(1, 4)
TILE(4, 4)
TILE(6, 4)
COLUMN(6, 4)
#else
// 16 registers of half the length: 12 sums, 2 of the right side, 1 of the left.
TILE(6, 1)
COLUMN(6, 1)
#endif

INLINE void product(size_t m, size_t n, size_t k, const float *a, size_t ars, size_t acs, const float *b, size_t ldb,
                    float *c, size_t ldc, int add) {
  size_t j = 0;
#if IS(ISA)
  for (; j + 64 <= n; j += 64) column_4(m, k, a, ars, acs, b + j, ldb, c + j, ldc, add);
  for (; j + 32 <= n; j += 32) column_2(m, k, a, ars, acs, b + j, ldb, c + j, ldc, add);
#endif
  for (; j + 16 <= n; j += 16) column_1(m, k, a, ars, acs, b + j, ldb, c + j, ldc, add);
}

void KERNEL(srs_product)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
                        size_t ldc, int add) {
  product(m, n, k, a, lda, 1, b, ldb, c, ldc, add);
}

void KERNEL(srs_product_left)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                             float *c, size_t ldc, int add) {
  product(m, n, k, a, 1, lda, b, ldb, c, ldc, add);
}

// Four rounds that swap what lies off the diagonal of ever larger squares.
#define EXCHANGE(D)                                                                                                    \
  FOR(i, 16) {                                                                                                         \
    if (i & D) continue;                                                                                               \
    v16 low = r[i], high = r[i + D];                                                                                   \
    r[i] = __builtin_shufflevector(low, high, FIRST_##D);                                                              \
    r[i + D] = __builtin_shufflevector(low, high, SECOND_##D);                                                         \
  }
#define FIRST_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define SECOND_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define FIRST_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define SECOND_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define FIRST_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define SECOND_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define FIRST_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define SECOND_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31

// Rows from `rows` on are taken for 0.
INLINE void transpose16(size_t rows, const float *x, size_t ldx, float *y, size_t ldy) {
  v16 r[16];
  FOR(i, 16) r[i] = i < rows ? load(x + i * ldx) : splat(0);
  EXCHANGE(1)
  EXCHANGE(2)
  EXCHANGE(4)
  EXCHANGE(8)
  FOR(i, 16) store(y + i * ldy, r[i]);
}

void KERNEL(srs_transpose)(size_t rows, size_t columns, const float *x, size_t ldx, float *y, size_t ldy) {
  for (size_t i = 0; i < rows; i += 16)
    for (size_t j = 0; j < columns; j += 16) {
      if (i + 16 <= rows && j + 16 <= columns) {
        transpose16(16, x + i * ldx + j, ldx, y + j * ldy + i, ldy);
        continue;
      }
      for (size_t a = i; a < rows && a < i + 16; a++)
        for (size_t b = j; b < columns && b < j + 16; b++) y[b * ldy + a] = x[a * ldx + b];
    }
}
