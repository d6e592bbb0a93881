# Made by srs. In this folder, `gnuplot scenarios.gp` draws it again from scenarios.dat.
set terminal pdfcairo noenhanced color size 17.7cm,4cm font "Liberation Sans,8" fontscale 0.75 linewidth 1.5
srs_markers = 1
set output "./scenarios.pdf"
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set multiplot layout 1,3
set title "TS: trained from scratch" textcolor rgb '#222222' offset 0,-0.4
set xlabel "training time (s)" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [0:33.1229282]
set format x '%g'
set xtics norotate autofreq
set ylabel "MRR\1005 (validation)" textcolor rgb '#222222' offset 0.8,0
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
set key bottom right Left reverse noenhanced samplen 2 spacing 1.1 width -1 textcolor rgb '#222222'
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set arrow from first 4.05692234, graph 0 to first 4.05692234, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
set arrow from first 8.73086306, graph 0 to first 8.73086306, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
unset label
unset object
plot "./scenarios.dat" index 0 using 1:3:4 with filledcurves linecolor rgb '#0072B2' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 0 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 2 title "stacked", \
     "./scenarios.dat" index 1 using 1:3:4 with filledcurves linecolor rgb '#D55E00' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 1 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title "from scratch", \
     NaN with lines dashtype 3 linewidth 1 linecolor rgb '#777777' title "growth"
set title "CL: data that grows" textcolor rgb '#222222' offset 0,-0.4
set xlabel "training time (s)" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [0:30.1841787]
set format x '%g'
set xtics norotate autofreq
unset ylabel
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
set key bottom right Left reverse noenhanced samplen 2 spacing 1.1 width -1 textcolor rgb '#222222'
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set arrow from first 8.04721682, graph 0 to first 8.04721682, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
set arrow from first 17.3570623, graph 0 to first 17.3570623, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
unset label
unset object
plot "./scenarios.dat" index 2 using 1:3:4 with filledcurves linecolor rgb '#0072B2' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 2 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 2 title "stacked", \
     "./scenarios.dat" index 3 using 1:3:4 with filledcurves linecolor rgb '#D55E00' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 3 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title "from scratch", \
     NaN with lines dashtype 3 linewidth 1 linecolor rgb '#777777' title "growth"
set title "TF: another vocabulary" textcolor rgb '#222222' offset 0,-0.4
set xlabel "fine-tuning time (s)" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [0:10.5429645]
set format x '%g'
set xtics norotate autofreq
unset ylabel
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
set key bottom right Left reverse noenhanced samplen 2 spacing 1.1 width -1 textcolor rgb '#222222'
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
plot "./scenarios.dat" index 4 using 1:3:4 with filledcurves linecolor rgb '#0072B2' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 4 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 1 title "stacked", \
     "./scenarios.dat" index 5 using 1:3:4 with filledcurves linecolor rgb '#D55E00' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 5 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title "from scratch", \
     "./scenarios.dat" index 6 using 1:3:4 with filledcurves linecolor rgb '#009E73' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 6 using 1:2 with linespoints linewidth 1.6 dashtype 3 linecolor rgb '#009E73' pointtype 9 pointsize 0.35*srs_markers pointinterval 1 title "not pre-trained"
unset multiplot
unset output
reset

set terminal svg noenhanced size 502,113 dynamic font "Liberation Sans,Arial,sans-serif,8" linewidth 0.75
srs_markers = 1.4
set output "./scenarios.svg"
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set multiplot layout 1,3
set title "TS: trained from scratch" textcolor rgb '#222222' offset 0,-0.4
set xlabel "training time (s)" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [0:33.1229282]
set format x '%g'
set xtics norotate autofreq
set ylabel "MRR\1005 (validation)" textcolor rgb '#222222' offset 0.8,0
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
set key bottom right Left reverse noenhanced samplen 2 spacing 1.1 width -1 textcolor rgb '#222222'
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set arrow from first 4.05692234, graph 0 to first 4.05692234, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
set arrow from first 8.73086306, graph 0 to first 8.73086306, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
unset label
unset object
plot "./scenarios.dat" index 0 using 1:3:4 with filledcurves linecolor rgb '#0072B2' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 0 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 2 title "stacked", \
     "./scenarios.dat" index 1 using 1:3:4 with filledcurves linecolor rgb '#D55E00' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 1 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title "from scratch", \
     NaN with lines dashtype 3 linewidth 1 linecolor rgb '#777777' title "growth"
set title "CL: data that grows" textcolor rgb '#222222' offset 0,-0.4
set xlabel "training time (s)" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [0:30.1841787]
set format x '%g'
set xtics norotate autofreq
unset ylabel
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
set key bottom right Left reverse noenhanced samplen 2 spacing 1.1 width -1 textcolor rgb '#222222'
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set arrow from first 8.04721682, graph 0 to first 8.04721682, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
set arrow from first 17.3570623, graph 0 to first 17.3570623, graph 1 nohead back dashtype 3 linewidth 1 linecolor rgb '#777777'
unset label
unset object
plot "./scenarios.dat" index 2 using 1:3:4 with filledcurves linecolor rgb '#0072B2' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 2 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 2 title "stacked", \
     "./scenarios.dat" index 3 using 1:3:4 with filledcurves linecolor rgb '#D55E00' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 3 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title "from scratch", \
     NaN with lines dashtype 3 linewidth 1 linecolor rgb '#777777' title "growth"
set title "TF: another vocabulary" textcolor rgb '#222222' offset 0,-0.4
set xlabel "fine-tuning time (s)" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [0:10.5429645]
set format x '%g'
set xtics norotate autofreq
unset ylabel
unset logscale y
set yrange [*:*]
set format y '%g'
set ytics norotate autofreq
unset y2label
unset y2tics
set border 3
set bmargin -1
set rmargin -1
set key bottom right Left reverse noenhanced samplen 2 spacing 1.1 width -1 textcolor rgb '#222222'
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
plot "./scenarios.dat" index 4 using 1:3:4 with filledcurves linecolor rgb '#0072B2' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 4 using 1:2 with linespoints linewidth 1.6 dashtype 1 linecolor rgb '#0072B2' pointtype 7 pointsize 0.35*srs_markers pointinterval 1 title "stacked", \
     "./scenarios.dat" index 5 using 1:3:4 with filledcurves linecolor rgb '#D55E00' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 5 using 1:2 with linespoints linewidth 1.6 dashtype 2 linecolor rgb '#D55E00' pointtype 5 pointsize 0.35*srs_markers pointinterval 1 title "from scratch", \
     "./scenarios.dat" index 6 using 1:3:4 with filledcurves linecolor rgb '#009E73' fillstyle transparent solid 0.18 noborder notitle, \
     "./scenarios.dat" index 6 using 1:2 with linespoints linewidth 1.6 dashtype 3 linecolor rgb '#009E73' pointtype 9 pointsize 0.35*srs_markers pointinterval 1 title "not pre-trained"
unset multiplot
unset output
reset
