# Made by srs. In this folder, `gnuplot architecture.gp` draws it again from architecture.dat.
set terminal pdfcairo noenhanced color size 17.7cm,7cm font "Liberation Sans,8" fontscale 0.75 linewidth 1.5
srs_markers = 1
set output "./architecture.pdf"
set encoding utf8
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set multiplot layout 1,3
set title "adjacent" textcolor rgb '#222222' offset 0,-0.4
unset xlabel
unset logscale x
set xrange [*:*]
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
unset key
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
unset grid
set tics scale 0
unset ytics
unset border
set style fill solid 0.9 noborder
set xtics ("2 blocks" 0, "4 blocks" 1, "8 blocks" 2)
set xrange [-0.5:2.5]
set yrange [-0.7:7.7]
plot "./architecture.dat" index 0 using ($5+0.3):6:($1-$5-2*0.3):($2-$6) with vectors nohead linecolor rgb '#777777' linewidth 0.7 notitle, \
     "./architecture.dat" index 0 using ($4 == 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#D55E00' fillstyle solid 0.9 noborder title "new", \
     "./architecture.dat" index 0 using ($4 > 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#0072B2' fillstyle solid 0.9 noborder title "a copy", \
     "./architecture.dat" index 0 using 1:2:($4 > 0 ? sprintf('%d ← %d', $3, $4) : sprintf('%d', $3)) with labels textcolor rgb '#FFFFFF' font ',6.8' notitle
set title "cross" textcolor rgb '#222222' offset 0,-0.4
unset xlabel
unset logscale x
set xrange [*:*]
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
unset key
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
unset grid
set tics scale 0
unset ytics
unset border
set style fill solid 0.9 noborder
set xtics ("2 blocks" 0, "4 blocks" 1, "8 blocks" 2)
set xrange [-0.5:2.5]
set yrange [-0.7:7.7]
plot "./architecture.dat" index 1 using ($5+0.3):6:($1-$5-2*0.3):($2-$6) with vectors nohead linecolor rgb '#777777' linewidth 0.7 notitle, \
     "./architecture.dat" index 1 using ($4 == 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#D55E00' fillstyle solid 0.9 noborder title "new", \
     "./architecture.dat" index 1 using ($4 > 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#0072B2' fillstyle solid 0.9 noborder title "a copy", \
     "./architecture.dat" index 1 using 1:2:($4 > 0 ? sprintf('%d ← %d', $3, $4) : sprintf('%d', $3)) with labels textcolor rgb '#FFFFFF' font ',6.8' notitle
set title "random: new blocks on top" textcolor rgb '#222222' offset 0,-0.4
unset xlabel
unset logscale x
set xrange [*:*]
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
unset key
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
unset grid
set tics scale 0
unset ytics
unset border
set style fill solid 0.9 noborder
set xtics ("2 blocks" 0, "4 blocks" 1, "8 blocks" 2)
set xrange [-0.5:2.5]
set yrange [-0.7:7.7]
plot "./architecture.dat" index 2 using ($5+0.3):6:($1-$5-2*0.3):($2-$6) with vectors nohead linecolor rgb '#777777' linewidth 0.7 notitle, \
     "./architecture.dat" index 2 using ($4 == 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#D55E00' fillstyle solid 0.9 noborder title "new", \
     "./architecture.dat" index 2 using ($4 > 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#0072B2' fillstyle solid 0.9 noborder title "a copy", \
     "./architecture.dat" index 2 using 1:2:($4 > 0 ? sprintf('%d ← %d', $3, $4) : sprintf('%d', $3)) with labels textcolor rgb '#FFFFFF' font ',6.8' notitle
unset multiplot
unset output
reset

set terminal svg noenhanced size 502,198 dynamic font "Liberation Sans,Arial,sans-serif,8" linewidth 0.75
srs_markers = 1.4
set output "./architecture.svg"
set encoding utf8
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set multiplot layout 1,3
set title "adjacent" textcolor rgb '#222222' offset 0,-0.4
unset xlabel
unset logscale x
set xrange [*:*]
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
unset key
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
unset grid
set tics scale 0
unset ytics
unset border
set style fill solid 0.9 noborder
set xtics ("2 blocks" 0, "4 blocks" 1, "8 blocks" 2)
set xrange [-0.5:2.5]
set yrange [-0.7:7.7]
plot "./architecture.dat" index 0 using ($5+0.3):6:($1-$5-2*0.3):($2-$6) with vectors nohead linecolor rgb '#777777' linewidth 0.7 notitle, \
     "./architecture.dat" index 0 using ($4 == 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#D55E00' fillstyle solid 0.9 noborder title "new", \
     "./architecture.dat" index 0 using ($4 > 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#0072B2' fillstyle solid 0.9 noborder title "a copy", \
     "./architecture.dat" index 0 using 1:2:($4 > 0 ? sprintf('%d ← %d', $3, $4) : sprintf('%d', $3)) with labels textcolor rgb '#FFFFFF' font ',6.8' notitle
set title "cross" textcolor rgb '#222222' offset 0,-0.4
unset xlabel
unset logscale x
set xrange [*:*]
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
unset key
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
unset grid
set tics scale 0
unset ytics
unset border
set style fill solid 0.9 noborder
set xtics ("2 blocks" 0, "4 blocks" 1, "8 blocks" 2)
set xrange [-0.5:2.5]
set yrange [-0.7:7.7]
plot "./architecture.dat" index 1 using ($5+0.3):6:($1-$5-2*0.3):($2-$6) with vectors nohead linecolor rgb '#777777' linewidth 0.7 notitle, \
     "./architecture.dat" index 1 using ($4 == 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#D55E00' fillstyle solid 0.9 noborder title "new", \
     "./architecture.dat" index 1 using ($4 > 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#0072B2' fillstyle solid 0.9 noborder title "a copy", \
     "./architecture.dat" index 1 using 1:2:($4 > 0 ? sprintf('%d ← %d', $3, $4) : sprintf('%d', $3)) with labels textcolor rgb '#FFFFFF' font ',6.8' notitle
set title "random: new blocks on top" textcolor rgb '#222222' offset 0,-0.4
unset xlabel
unset logscale x
set xrange [*:*]
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
unset key
unset arrow
set cbrange [*:*]
set size nosquare
set tics scale 0.6
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
unset label
unset object
unset grid
set tics scale 0
unset ytics
unset border
set style fill solid 0.9 noborder
set xtics ("2 blocks" 0, "4 blocks" 1, "8 blocks" 2)
set xrange [-0.5:2.5]
set yrange [-0.7:7.7]
plot "./architecture.dat" index 2 using ($5+0.3):6:($1-$5-2*0.3):($2-$6) with vectors nohead linecolor rgb '#777777' linewidth 0.7 notitle, \
     "./architecture.dat" index 2 using ($4 == 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#D55E00' fillstyle solid 0.9 noborder title "new", \
     "./architecture.dat" index 2 using ($4 > 0 ? $1 : NaN):2:($1-0.3):($1+0.3):($2-0.38):($2+0.38) with boxxyerror linecolor rgb '#0072B2' fillstyle solid 0.9 noborder title "a copy", \
     "./architecture.dat" index 2 using 1:2:($4 > 0 ? sprintf('%d ← %d', $3, $4) : sprintf('%d', $3)) with labels textcolor rgb '#FFFFFF' font ',6.8' notitle
unset multiplot
unset output
reset
