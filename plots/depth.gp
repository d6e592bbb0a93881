# Made by srs. In this folder, `gnuplot depth.gp` draws it again from depth.dat.
set terminal pdfcairo noenhanced color size 8.4cm,5.6cm font "Liberation Sans,8" fontscale 0.75 linewidth 1.5
srs_markers = 1
set output "./depth.pdf"
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset title
set xlabel "blocks" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [0:8.12]
set format x '%g'
set xtics norotate autofreq
set ylabel "MRR\1005 (test)" textcolor rgb '#222222' offset 0.8,0
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
set key bottom left Left reverse noenhanced samplen 2 spacing 1.1 width -1 textcolor rgb '#222222'
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
plot "./depth.dat" index 0 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 1 title "from scratch", \
     "./depth.dat" index 1 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title "stacked"
unset output
reset

set terminal svg noenhanced size 238,159 dynamic font "Liberation Sans,Arial,sans-serif,8" linewidth 0.75
srs_markers = 1.4
set output "./depth.svg"
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset title
set xlabel "blocks" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [0:8.12]
set format x '%g'
set xtics norotate autofreq
set ylabel "MRR\1005 (test)" textcolor rgb '#222222' offset 0.8,0
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
set key bottom left Left reverse noenhanced samplen 2 spacing 1.1 width -1 textcolor rgb '#222222'
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
plot "./depth.dat" index 0 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 1 title "from scratch", \
     "./depth.dat" index 1 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title "stacked"
unset output
reset
