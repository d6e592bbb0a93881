# Made by srs. In this folder, `gnuplot convergence.gp` draws it again from convergence.dat.
set terminal pdfcairo noenhanced color size 8.4cm,5.6cm font 'Liberation Sans,8' fontscale 0.75 linewidth 1.5
srs_markers = 1
set output './convergence.pdf'
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set title 'NextItNet, 16 blocks' offset 0,-0.4
set xlabel 'training time (s)' offset 0,0.4
unset logscale x
set xrange [*:*]
set xtics autofreq
set ylabel 'MRR@5' offset 0.8,0
unset logscale y
set yrange [*:*]
set ytics autofreq
set xrange [0:70.5637764]
set key bottom right Left reverse noenhanced samplen 2 spacing 1.1 width -1
unset arrow
set arrow from first 4.23758188, graph 0 to first 4.23758188, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
set arrow from first 10.4964368, graph 0 to first 10.4964368, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
plot './convergence.dat' index 0 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 1 title 'StackRec', \
     './convergence.dat' index 1 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title 'from scratch', \
     NaN with lines dashtype 3 linewidth 1 linecolor rgb '#777777' title 'stacking'
unset output
reset

set terminal svg noenhanced size 238,159 dynamic font 'Liberation Sans,Arial,sans-serif,8' linewidth 0.75
srs_markers = 1.4
set output './convergence.svg'
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set title 'NextItNet, 16 blocks' offset 0,-0.4
set xlabel 'training time (s)' offset 0,0.4
unset logscale x
set xrange [*:*]
set xtics autofreq
set ylabel 'MRR@5' offset 0.8,0
unset logscale y
set yrange [*:*]
set ytics autofreq
set xrange [0:70.5637764]
set key bottom right Left reverse noenhanced samplen 2 spacing 1.1 width -1
unset arrow
set arrow from first 4.23758188, graph 0 to first 4.23758188, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
set arrow from first 10.4964368, graph 0 to first 10.4964368, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
plot './convergence.dat' index 0 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 1 title 'StackRec', \
     './convergence.dat' index 1 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title 'from scratch', \
     NaN with lines dashtype 3 linewidth 1 linecolor rgb '#777777' title 'stacking'
unset output
reset
