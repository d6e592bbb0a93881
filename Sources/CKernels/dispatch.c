#include "CKernels.h"

// The loader calls the resolvers when it binds a kernel. That is before any other code of the program, including a
// sanitizer's start-up, so they must not be instrumented.
#define BY_LOADER __attribute__((disable_sanitizer_instrumentation))

// 2: AVX-512, 1: AVX2 with FMA, 0: the compiler's baseline.
BY_LOADER static int level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return 2;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return 1;
#endif
  return 0;
}

const char *srs_vector_isa(void) {
  switch (level()) {
  case 2: return "avx512";
  case 1: return "avx2";
  default: return "baseline";
  }
}

#if defined(__x86_64__)
#define DISPATCH(name)                                                                                                 \
  extern __typeof__(name) name##_v4, name##_v3, name##_baseline;                                                       \
  BY_LOADER static __typeof__(name) *name##_resolve(void) {                                                            \
    int l = level();                                                                                                   \
    return l == 2 ? name##_v4 : l == 1 ? name##_v3 : name##_baseline;                                                  \
  }                                                                                                                    \
  __typeof__(name) name __attribute__((ifunc(#name "_resolve")));
#else
#define DISPATCH(name)                                                                                                 \
  extern __typeof__(name) name##_baseline;                                                                             \
  __typeof__(name) name __attribute__((alias(#name "_baseline")));
#endif

DISPATCH(srs_axpy)
DISPATCH(srs_scale)
DISPATCH(srs_dot)
DISPATCH(srs_count_above)
DISPATCH(srs_count_panel)
DISPATCH(srs_norm_relu)
DISPATCH(srs_norm_relu_residual)
DISPATCH(srs_norm_relu_backward)
DISPATCH(srs_norm_relu_residual_backward)
DISPATCH(srs_add_bias)
DISPATCH(srs_sum_rows)
DISPATCH(srs_softmax_panel)
DISPATCH(srs_softmax_sums)
DISPATCH(srs_softmax_gradient)
DISPATCH(srs_adam)
DISPATCH(srs_multiply)
DISPATCH(srs_bias_relu)
DISPATCH(srs_relu_backward)
DISPATCH(srs_norm_sum)
DISPATCH(srs_norm_sum_backward)
DISPATCH(srs_gather_dots)
DISPATCH(srs_gather_sum)
DISPATCH(srs_scatter_add)
DISPATCH(srs_exp_sum)
DISPATCH(srs_sigmoid)
DISPATCH(srs_silu)
DISPATCH(srs_silu_backward)
DISPATCH(srs_gated_add)
DISPATCH(srs_gated_add_backward)
DISPATCH(srs_gelu)
DISPATCH(srs_gelu_backward)
DISPATCH(srs_attention)
DISPATCH(srs_attention_backward)
DISPATCH(srs_dropout_mask)
DISPATCH(srs_product)
DISPATCH(srs_product_left)
DISPATCH(srs_transpose)
DISPATCH(srs_affine_relu)
DISPATCH(srs_product_sum)
DISPATCH(srs_filter_weights)
DISPATCH(srs_filter_weights_transposed)
DISPATCH(srs_filter_input)
DISPATCH(srs_filter_input_transposed)
DISPATCH(srs_filter_output)
DISPATCH(srs_filter_output_transposed)
