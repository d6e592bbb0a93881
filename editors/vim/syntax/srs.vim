" The language of StackRec experiments.
if exists("b:current_syntax")
  finish
endif

syntax keyword srsKeyword let fn param if else for in while return break continue and or not import assert try
syntax keyword srsConstant true false nil
syntax match srsNumber "\v<\d[0-9_]*(\.\d[0-9_]*)?([eE][+-]?\d+)?(steps|step|epochs|epoch|ms|sec|s|min|h|d|mm|cm|in|pt|\%)?"
syntax match srsMetric "\v<(mrr|hr|ndcg)\@\d+"
syntax match srsLabel "\v<\h\w*\ze:"
syntax match srsFunction "\v<\h\w*\ze\("
syntax match srsOperator "\v\|\>|\=\>|\.\.|[-+*/^<>=]|[=!<>]\="
syntax match srsEscape contained "\v\\([nt\"\\{}]|u\{\x+\})"
syntax region srsInterpolation contained start="{" end="}" contains=TOP
syntax region srsString start=+"+ skip=+\\.+ end=+"\|$+ contains=srsEscape,srsInterpolation
syntax match srsComment "#.*$"
syntax match srsCell "^# %%.*$"

highlight default link srsKeyword Keyword
highlight default link srsConstant Constant
highlight default link srsNumber Number
highlight default link srsMetric Constant
highlight default link srsLabel Identifier
highlight default link srsFunction Function
highlight default link srsOperator Operator
highlight default link srsEscape SpecialChar
highlight default link srsString String
highlight default link srsComment Comment
highlight default link srsCell Title

setlocal commentstring=#\ %s
let b:current_syntax = "srs"
