autocmd BufRead,BufNewFile *.srs setfiletype srs
