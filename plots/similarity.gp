# Made by srs. In this folder, `gnuplot similarity.gp` draws it again from similarity.dat.
set terminal pdfcairo noenhanced color size 17.7cm,5.9cm font "Liberation Sans,8" fontscale 0.75 linewidth 1.5
srs_markers = 1
set output "./similarity.pdf"
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set multiplot layout 1,2
set title "block outputs" textcolor rgb '#222222' offset 0,-0.4
set xlabel "block" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [*:*]
set format x '%g'
set xtics norotate autofreq
set ylabel "block" textcolor rgb '#222222'
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
set palette defined (0 '#FFFFFF', 0.25 '#D0E1F2', 0.5 '#94C4DF', 0.75 '#4A98C9', 1 '#0B559F')
unset grid
set size square
set tics scale 0
set xrange [-0.5:*] noextend
set yrange [-0.5:*] noextend
set colorbox
set style fill solid 1 noborder
set cbrange [0:1]
set xtics 0,1
set ytics 0,1
set xrange [-0.5:7.5]
set yrange [-0.5:7.5]
plot "./similarity.dat" index 0 matrix with image pixels notitle, \
     "./similarity.dat" index 0 matrix using 1:2:(sprintf('%.2f',$3)):($3 > 0.6 ? 0xFFFFFF : 0x222222) with labels textcolor rgb variable font ',6' notitle
set title "block parameters" textcolor rgb '#222222' offset 0,-0.4
set xlabel "block" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [*:*]
set format x '%g'
set xtics norotate autofreq
set ylabel "block" textcolor rgb '#222222'
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
set palette defined (0 '#FFFFFF', 0.25 '#D0E1F2', 0.5 '#94C4DF', 0.75 '#4A98C9', 1 '#0B559F')
unset grid
set size square
set tics scale 0
set xrange [-0.5:*] noextend
set yrange [-0.5:*] noextend
set colorbox
set style fill solid 1 noborder
set cbrange [0:1]
set xtics 0,1
set ytics 0,1
set xrange [-0.5:7.5]
set yrange [-0.5:7.5]
plot "./similarity.dat" index 1 matrix with image pixels notitle, \
     "./similarity.dat" index 1 matrix using 1:2:(sprintf('%.2f',$3)):($3 > 0.6 ? 0xFFFFFF : 0x222222) with labels textcolor rgb variable font ',6' notitle
unset multiplot
unset output
reset

set terminal svg noenhanced size 502,167 dynamic font "Liberation Sans,Arial,sans-serif,8" linewidth 0.75
srs_markers = 1.4
set output "./similarity.svg"
set encoding utf8
set datafile missing 'NaN'
set border 3 linewidth 0.6 linecolor rgb '#444444'
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid ytics linewidth 0.4 linecolor rgb '#DDDDDD'
set multiplot layout 1,2
set title "block outputs" textcolor rgb '#222222' offset 0,-0.4
set xlabel "block" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [*:*]
set format x '%g'
set xtics norotate autofreq
set ylabel "block" textcolor rgb '#222222'
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
set palette defined (0 '#FFFFFF', 0.25 '#D0E1F2', 0.5 '#94C4DF', 0.75 '#4A98C9', 1 '#0B559F')
unset grid
set size square
set tics scale 0
set xrange [-0.5:*] noextend
set yrange [-0.5:*] noextend
set colorbox
set style fill solid 1 noborder
set cbrange [0:1]
set xtics 0,1
set ytics 0,1
set xrange [-0.5:7.5]
set yrange [-0.5:7.5]
plot "./similarity.dat" index 0 matrix with image pixels notitle, \
     "./similarity.dat" index 0 matrix using 1:2:(sprintf('%.2f',$3)):($3 > 0.6 ? 0xFFFFFF : 0x222222) with labels textcolor rgb variable font ',6' notitle
set title "block parameters" textcolor rgb '#222222' offset 0,-0.4
set xlabel "block" textcolor rgb '#222222' offset 0,0.4
unset logscale x
set xrange [*:*]
set format x '%g'
set xtics norotate autofreq
set ylabel "block" textcolor rgb '#222222'
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
set palette defined (0 '#FFFFFF', 0.25 '#D0E1F2', 0.5 '#94C4DF', 0.75 '#4A98C9', 1 '#0B559F')
unset grid
set size square
set tics scale 0
set xrange [-0.5:*] noextend
set yrange [-0.5:*] noextend
set colorbox
set style fill solid 1 noborder
set cbrange [0:1]
set xtics 0,1
set ytics 0,1
set xrange [-0.5:7.5]
set yrange [-0.5:7.5]
plot "./similarity.dat" index 1 matrix with image pixels notitle, \
     "./similarity.dat" index 1 matrix using 1:2:(sprintf('%.2f',$3)):($3 > 0.6 ? 0xFFFFFF : 0x222222) with labels textcolor rgb variable font ',6' notitle
unset multiplot
unset output
reset
