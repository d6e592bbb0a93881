# Made by srs. In this folder, `gnuplot operators.gp` draws it again from operators.dat.
set terminal pdfcairo noenhanced color size 8.4cm,5.6cm font "Liberation Sans,8" fontscale 0.75 linewidth 1.5
srs_markers = 1
set output "./operators.pdf"
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset title
unset xlabel
unset logscale x
set xrange [*:*]
set format x '%g'
set xtics norotate autofreq
set ylabel "speed-up over scratch" textcolor rgb '#222222' offset 0.8,0
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
set xtics rotate by 40 right ("adjacent, all" 0, "cross, all" 1, "cross, preserving" 2, "random, all" 3, "embedding, all" 4, "adjacent, reference" 5)
set bmargin 7
set boxwidth 0.7
set style fill solid 0.85 noborder
set xrange [-0.6:5.6]
plot "./operators.dat" index 0 using 1:2 with boxes linecolor rgb '#0072B2' notitle
unset output
reset

set terminal svg noenhanced size 238,159 dynamic font "Liberation Sans,Arial,sans-serif,8" linewidth 0.75
srs_markers = 1.4
set output "./operators.svg"
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset title
unset xlabel
unset logscale x
set xrange [*:*]
set format x '%g'
set xtics norotate autofreq
set ylabel "speed-up over scratch" textcolor rgb '#222222' offset 0.8,0
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
set xtics rotate by 40 right ("adjacent, all" 0, "cross, all" 1, "cross, preserving" 2, "random, all" 3, "embedding, all" 4, "adjacent, reference" 5)
set bmargin 7
set boxwidth 0.7
set style fill solid 0.85 noborder
set xrange [-0.6:5.6]
plot "./operators.dat" index 0 using 1:2 with boxes linecolor rgb '#0072B2' notitle
unset output
reset
