# Made by srs. In this folder, `gnuplot throughput.gp` draws it again from throughput.dat.
set terminal pdfcairo noenhanced color size 17.7cm,6cm font "Liberation Sans,8" fontscale 0.75 linewidth 1.5
srs_markers = 1
set output "./throughput.pdf"
set encoding utf8
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset title
unset xlabel
unset logscale x
set xrange [*:*]
set format x '%g'
set xtics norotate autofreq
set ylabel "steps of srs in one of PyTorch" textcolor rgb '#222222' offset 0.8,0
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
unset key
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
set yrange [0:*]
set xtics ("NextItNet 32,"."\n"."sampled" 0, "NextItNet 8, 24k"."\n"."items" 1, "NextItNet 16,"."\n"."full" 2, "SASRec 24, full" 3, "SSE-PT 8" 4, "GRec 8 + 8" 5, "evaluation, 24k"."\n"."items" 6)
set bmargin 3
set boxwidth 0.7
set style fill solid 0.85 noborder
set xrange [-0.6:6.6]
plot "./throughput.dat" index 0 using 1:2 with boxes linecolor rgb '#0072B2' notitle
unset output
reset

set terminal svg noenhanced size 502,170 dynamic font "Liberation Sans,Arial,sans-serif,8" linewidth 0.75
srs_markers = 1.4
set output "./throughput.svg"
set encoding utf8
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset title
unset xlabel
unset logscale x
set xrange [*:*]
set format x '%g'
set xtics norotate autofreq
set ylabel "steps of srs in one of PyTorch" textcolor rgb '#222222' offset 0.8,0
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
unset key
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
set yrange [0:*]
set xtics ("NextItNet 32,"."\n"."sampled" 0, "NextItNet 8, 24k"."\n"."items" 1, "NextItNet 16,"."\n"."full" 2, "SASRec 24, full" 3, "SSE-PT 8" 4, "GRec 8 + 8" 5, "evaluation, 24k"."\n"."items" 6)
set bmargin 3
set boxwidth 0.7
set style fill solid 0.85 noborder
set xrange [-0.6:6.6]
plot "./throughput.dat" index 0 using 1:2 with boxes linecolor rgb '#0072B2' notitle
unset output
reset
