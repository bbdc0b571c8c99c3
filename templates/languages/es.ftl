### Cada frase de páginas y correos, en español. Lo que significan las variables está en en.ftl. Se tutea; «digest» es el
### boletín, «post» entrada, «edition» número.

## La lengua misma

language-name = Español
decimal-mark = ,

## Números y cantidades

number = { $count ->
    [1] una
    [2] dos
    [3] tres
    [4] cuatro
    [5] cinco
    [6] seis
    [7] siete
    [8] ocho
    [9] nueve
    [10] diez
    [11] once
    [12] doce
   *[other] { $count }
  }
number-alone = { number }
posts = { $count ->
    [0] ninguna entrada
    [one] { number } entrada
   *[other] { number } entradas
  }
posts-digits = { $count ->
    [one] { $count } entrada
   *[other] { $count } entradas
  }
periods = { $per ->
    [week] { $periods ->
        [one] { $periods } semana
       *[other] { $periods } semanas
      }
    [quarter] { $periods ->
        [one] { $periods } trimestre
       *[other] { $periods } trimestres
      }
    [year] { $periods ->
        [one] { $periods } año
       *[other] { $periods } años
      }
   *[month] { $periods ->
        [one] { $periods } mes
       *[other] { $periods } meses
      }
  }
in-periods = en { periods }
a-per = { $per ->
    [week] por semana
    [quarter] por trimestre
    [year] al año
   *[month] al mes
  }
this-per = { $per ->
    [week] Esta semana
    [quarter] Este trimestre
    [year] Este año
   *[month] Este mes
  }
list-and = { $first } y { $last }

## El calendario

month = { $month ->
    [1] enero
    [2] febrero
    [3] marzo
    [4] abril
    [5] mayo
    [6] junio
    [7] julio
    [8] agosto
    [9] septiembre
    [10] octubre
    [11] noviembre
   *[12] diciembre
  }
month-short = { $month ->
    [1] ene
    [2] feb
    [3] mar
    [4] abr
    [5] may
    [6] jun
    [7] jul
    [8] ago
    [9] sep
    [10] oct
    [11] nov
   *[12] dic
  }
day = { $day } de { month } de { $year }
period = { $per ->
    [week] semana { $week } de { $year }
    [quarter] { $quarter ->
        [1] primer trimestre de { $year }
        [2] segundo trimestre de { $year }
        [3] tercer trimestre de { $year }
       *[4] cuarto trimestre de { $year }
      }
    [year] { $year }
   *[month] { month } de { $year }
  }
period-short = { $per ->
    [week] S{ $week }
    [quarter] T{ $quarter }
    [year] { $year }
   *[month] { month-short }
  }

## El objetivo

goal-heading = El objetivo
goal-name = Objetivo
goal-aim = { $name }: { posts } { a-per }.
goal-none = Todavía ninguna entrada.
goal-begins = Empieza con { period }.
goal-standing = { posts-digits } { in-periods } – { $standing ->
    [ahead] { $by } de ventaja
    [behind] { $by } de retraso
   *[pace] al ritmo previsto
  }.
goal-paused = { this-per } es de pausa.
goal-met = { this-per }, objetivo cumplido: { posts-digits }.
goal-open = { this-per } sigue en curso: { $days ->
    [0] hoy es el último día
    [1] hoy es el último día
   *[other] quedan { $days } días
  }, { $published ->
    [0] de momento ninguna entrada
   *[other] de momento { $published } de { $goal }
  }{ $planned ->
    [0] { "" }
    [one] , { $planned } prevista
   *[other] , { $planned } previstas
  }.
state = { $state ->
    [met] cumplido
    [missed] no cumplido
    [paused] pausa
   *[open] en curso
  }
fact-published = publicadas
    .value = { $published } de { $target }
fact-met = objetivo cumplido
    .value = { $met } de { periods }
fact-streak = seguidas
    .value = { periods }, récord { $longest }
fact-gap = mayor ausencia
fact-average = promedio
    .value = { $average } { a-per }
fact-forecast = previsión
    .value = { $forecast } este año
fact-due = próxima fecha límite
goal-table = Periodo por periodo, primero el más reciente
goal-column-period = Periodo
goal-column-posts = Entradas
goal-column-goal = Objetivo
goal-column-state = Estado
goal-unset = No se ha fijado ningún objetivo.
goal-data = Como datos:
goal-data-chart = gráfico
goal-data-badge = insignia
goal-data-calendar = calendario
chart-title = Entradas { a-per } frente al objetivo
chart-title-named = { $name }: entradas { a-per } frente al objetivo
chart-period = { $period }: { posts-digits }, { state }
chart-goal = objetivo: { $count } { a-per }
chart-empty = Todavía no hay nada que contar
# La página del objetivo.
history-title = Todas las entradas { a-per }
curve-title = Publicado y prometido, en total
curve-published = publicado
curve-target = prometido
goal-grid = Año por año
goal-grid-caption = Una casilla por periodo, con sus entradas detrás
goal-grid-year = Año
goal-authors = Quién escribe
goal-share = { posts-digits }, { $percent } %
goal-more = y { $count ->
    [one] uno más
   *[other] { $count } más
  }
goal-next = Lo que viene
goal-due = La próxima entrada se espera para el { $date }.
goal-scheduled = Previsto
goal-drafts = En preparación
draft-facts = { $words ->
    [one] una palabra
   *[other] { $words } palabras
  }, { $days ->
    [0] modificado hoy
    [one] desde hace un día
   *[other] desde hace { $days } días
  }
goal-late = publicada con retraso
goal-all = Los últimos periodos en una tabla
goal-nothing = No se publicó nada.
goal-earlier = Antes: { $period }
goal-later = Después: { $period }
goal-whole = El objetivo entero

## Todas las páginas

page-skip = Ir al texto
page-nav = Páginas
page-blog = Blog
page-subscribe = Suscribirse
page-editions-feed = { $title }: números
home-latest = Últimas entradas
home-none = Todavía no hay entradas.
feeds-heading = Canales
feeds-lead = Un lector de canales muestra las entradas nuevas en cuanto aparecen. Copia en el tuyo una de estas direcciones: sin cuenta, y nadie sabe quién lee.
feed-page-lead = Copia una de estas direcciones en un lector de canales y las entradas nuevas te llegarán.
feed-page-posts = Entradas
feeds-all = Todos los canales
feeds-mail = El boletín por correo
feeds-opml = Todos en un archivo (OPML)
feed-banner = Esto es un canal de noticias. Copia su dirección de la barra de direcciones en un lector de canales y las entradas nuevas te llegarán.
# $kind: which kind of feeds follow.
feeds-group = { $kind ->
    [tag] Etiquetas
    [author] Autores
    [category] Categorías
    [section] Secciones
    [language] Idiomas
    [extra] Otros
   *[all] El blog
  }
home-feeds = O en un lector de fuentes:
home-feeds-only = En un lector de fuentes:
home-feeds-all = También cada tema y cada autor tiene su fuente
home-goal-more = Más sobre el objetivo
editions-heading = Números
editions-none = El primer boletín todavía no se ha enviado.

## Suscribirse

subscribe-heading = Suscribirse
subscribe-promise = Un correo al mes con lo que se ha publicado, y nada más. Para darte de baja basta un clic.
subscribe-next = Te enviamos un correo con un enlace. La suscripción empieza cuando lo hayas seguido.
subscribe-email = Tu dirección de correo
subscribe-button = Suscribirme
subscribe-trap = Deja este campo vacío, por favor
address-empty = Escribe tu dirección de correo.
address-control = Esta dirección contiene un carácter que no se puede teclear. Escríbela de nuevo.
address-no-at = A esta dirección le falta la @. Debería parecerse a nombre@example.org.
address-long-local = La parte antes de la @ tiene más de 64 caracteres, y eso no lo acepta ningún servidor.
address-long = Esta dirección tiene más de 254 caracteres, y eso no lo acepta ningún servidor.
address-syntax = Esto no es una dirección de correo. Debería parecerse a nombre@example.org.
address-foreign-local = La parte antes de la @ tiene letras que la mayoría de los servidores no aceptan.
address-no-dot = A la parte después de la @ le falta un punto. Debería parecerse a example.org.
address-domain = La parte después de la @ no es un dominio. Debería parecerse a example.org.

## Cuando está hecho

said-look-into-mailbox = Mira en tu buzón
    .text = Si podemos escribir a esta dirección, hay un correo en camino. Sigue su enlace en los próximos tres días. Si no llega nada, puede que esté entre el correo no deseado.
said-confirmed = Suscripción confirmada
    .text = El próximo boletín llegará a tu buzón.
said-unsubscribed = Baja confirmada
    .text = No recibirás más boletines. Gracias por haberlos leído.
said-saved = Guardado
    .text = A partir de ahora recibes lo que has elegido.
said-data-sent = Hay un correo en camino
    .text = Te lleva todo lo que guardamos sobre ti, en un archivo.
said-erased = Todo está borrado
    .text = Lo que guardábamos sobre ti ya no existe. Solo queda un código calculado a partir de tu dirección, que no permite volver a ella: evita que una lista antigua vuelva a apuntarte.
said-address-mail-sent = Mira en tu nuevo buzón
    .text = Si podemos escribir a esta dirección, hay un correo con un enlace en camino. Hasta que lo sigas, los boletines van a la dirección antigua.
said-address-moved = Tu dirección ha cambiado
    .text = A partir de ahora los boletines llegan a la nueva.
said-address-taken = Esta dirección ya recibe el boletín
    .text = Tiene su propia suscripción, y nada ha cambiado. Para no recibir nada más en la antigua, usa el enlace de baja al final de un boletín recibido allí.
said-link-sent = Mira en tu buzón
    .text = Hay un correo con un enlace nuevo en camino.

## Antes de que pase nada

ask-confirm = ¿Suscribirte a { $title }?
    .text = Un clic más, y el próximo boletín te llegará.
    .button = Sí, suscribirme
ask-move-address = ¿Usar esta dirección a partir de ahora?
    .text = Los boletines llegarán a la dirección que recibió este enlace, y ya no a la antigua.
    .button = Usar esta dirección
ask-unsubscribe = Darse de baja
    .text = No recibirás más boletines.
    .button = Darme de baja
ask-new-link = Este enlace es demasiado antiguo
    .text = Un enlace a tus preferencias vale 30 días. Podemos enviarte uno nuevo.
    .button = Enviarme un enlace nuevo

## Lo que cada cual elige

preferences-heading = Lo que recibes
preferences-for = Para { $address }
preferences-inactive = Ahora mismo no tienes suscripción, así que no se te envía nada.
preferences-again = Volver a suscribirme
preferences-frequency = Con qué frecuencia
preferences-monthly = Una vez al mes
preferences-quarterly = Una vez por trimestre
preferences-post = Cada entrada por separado, en cuanto se publique
preferences-tags = Temas
preferences-authors = Autores
preferences-all = Si no marcas nada, lo recibes todo.
preferences-pause = Pausa hasta
preferences-no-pause = Sin pausa
preferences-language = Idioma
preferences-save = Guardar
preferences-address = Cambiar de dirección
    .text = Enviamos un enlace a la nueva dirección. Vale en cuanto lo hayas seguido.
preferences-new-address = Nueva dirección de correo
preferences-address-button = Enviar el enlace
preferences-data = Tus datos
    .text = Todo lo que guardamos sobre ti, en un archivo, a tu buzón.
preferences-data-button = Enviarme mis datos
preferences-leave = Darse de baja
    .text = Ningún boletín más, desde este momento.
preferences-leave-button = Darme de baja
preferences-erase = Borrarlo todo
    .text = Tu suscripción termina y se borra todo lo que guardamos sobre ti. No se puede deshacer.
preferences-sure = Sí, que se borre todo lo que se guarda sobre mí
preferences-erase-button = Borrarlo todo

## Cuando no hay respuesta

refused-not-found = No encontrado
    .text = En esta dirección no hay nada. Puede que se haya mudado, o que nunca haya estado aquí.
refused-gone = Retirada
    .text = Sus autores han retirado la entrada que estaba en esta dirección. Las demás siguen aquí.
refused-no-goal = Todavía sin objetivo
    .text = Este blog no se ha fijado ningún objetivo, así que aquí no hay nada que mostrar.
refused-link = Este enlace no funciona
    .text = No es válido, o ya no lo es. A veces los programas de correo cortan los enlaces largos: prueba con el enlace entero de tu último boletín.
refused-body = No lo hemos entendido
    .text = No se ha cambiado nada. Sigue otra vez el enlace de tu correo y usa el botón de la página.
refused-method = Aquí no es posible
    .text = Esta dirección se puede leer, y nada más.
refused-too-large = Demasiado grande
    .text = Es más de lo que hace falta aquí. No se ha cambiado nada.
refused-starting = Un momento
    .text = El blog se está leyendo por primera vez. Vuelve a intentarlo dentro de poco.
refused-not-now = Ahora mismo no
    .text = No ha funcionado, pero es pasajero. Vuelve a intentarlo dentro de un minuto.
refused-broken = Algo se ha roto
    .text = Es un fallo nuestro, y ha quedado anotado. Vuelve a intentarlo más tarde.
refused-unsupported-media = No lo hemos entendido
    .text = Ha llegado en una forma que no sabemos leer. No se ha cambiado nada.
refused-too-many = Demasiadas veces
    .text = Ha habido demasiados intentos, y esta vez no se ha hecho nada. Vuelve a intentarlo dentro de una hora.

## Correos sobre una suscripción

notice-confirm = Confirma, por favor: { $title }
    .heading = ¿Quieres recibir el boletín?
    .text = Alguien, esperamos que tú, ha dado esta dirección para recibir por correo el boletín de { $title }.
    .button = Sí, suscribirme
    .after = El enlace vale tres días. Si no has sido tú, no hagas nada: no volverás a saber de esto, y no se te enviará nada.
notice-move-address = Tu nueva dirección para { $title }
    .heading = ¿Es esta tu nueva dirección?
    .text = Alguien que lee { $title } quiere recibir el boletín en esta dirección a partir de ahora.
    .button = Sí, usar esta dirección
    .after = El enlace vale tres días. Si no has sido tú, no hagas nada: nada cambia, y no se te enviará nada.
notice-already = Ya recibes { $title }
    .heading = Ya tienes una suscripción
    .text = Alguien, probablemente tú, ha querido suscribir esta dirección a { $title }. Ya lo está, y nada ha cambiado.
    .button = Elegir lo que recibes
    .after = Si no has sido tú, no tienes que hacer nada.
notice-link = Tu enlace para { $title }
    .heading = Tu nuevo enlace
    .text = Aquí eliges lo que te envía { $title }, o te das de baja.
    .button = Elegir lo que recibes
    .after = El enlace vale 30 días, para cualquiera que lo tenga: por favor, no reenvíes este correo.
notice-data = Tus datos en { $title }
    .heading = Tus datos
    .text = El archivo adjunto a este correo contiene todo lo que { $title } guarda sobre ti.
    .button = Elegir lo que recibes
    .after = Lo has pedido en la página de tus preferencias. Allí también puedes hacer que se borre todo.
notice-footer = Este correo se envía una sola vez, porque se ha pedido en { $title }.

## El boletín

digest-hello = Hola{ $name }:
digest-summary = { $period }: { posts }.
digest-summary-late = { $period }: { posts }, y { $late } de antes.
digest-summary-missed = { posts } que quizá se te { $count ->
    [one] haya
   *[other] hayan
  } pasado.
digest-summary-none = { $period }: ninguna entrada nueva.
digest-summary-post = Una entrada nueva en { $title }.
digest-summary-welcome = Tu suscripción está confirmada.
digest-intro = Esto es lo que se ha publicado.
digest-intro-late = Esta vez no hay nada nuevo, pero quizá se te haya pasado algo.
digest-intro-none = Esta vez todo ha estado tranquilo: ninguna entrada nueva. La próxima te encontrará aquí.
digest-intro-post = Esto se acaba de publicar.
digest-subject = { $more ->
    [0] { $lead }: { $title }, { $month }
   *[other] { $lead }, y { $more } más: { $title }, { $month }
  }
digest-subject-none = { $title }: { $month }
digest-post-subject = { $post } ({ $title })
digest-welcome-subject = Te damos la bienvenida a { $title }
digest-welcome = Te damos la bienvenida, y gracias por suscribirte a { $title }. Para que no tengas que esperar al próximo boletín, aquí tienes el último.
digest-welcome-none = Te damos la bienvenida, y gracias por suscribirte a { $title }. En cuanto haya algo nuevo que leer, te llegará aquí.
digest-minutes = { $minutes } min
digest-late = También publicadas
digest-corrected = Corregidas desde entonces
digest-withdrawn = retirada
digest-more = Y { $count } más
digest-legend = La línea de puntos es el objetivo.
digest-goal-link = Cómo va el objetivo
digest-drafts = En preparación
digest-forwarded = ¿Te lo ha reenviado alguien?
digest-forwarded-link = Recibir el próximo
digest-why = Recibes este boletín porque te suscribiste a { $title }.
digest-selection = Has elegido solo algunos temas o autores, así que puede haberse publicado algo más.
digest-web = Leerlo en la web
digest-archive = Boletines anteriores
digest-preferences = Elegir lo que recibes
digest-unsubscribe = Darse de baja
digest-read = Leer la entrada completa
digest-text-more = Y { $count } más: { $url }
digest-text-read = Leer la entrada completa: { $url }
digest-text-forwarded = ¿Te lo han reenviado? Suscríbete: { $url }
digest-text-blog = Blog: { $url }
digest-text-web = Este boletín en la web: { $url }
digest-text-archive = Boletines anteriores: { $url }
digest-text-preferences = Lo que recibes: { $url }
digest-text-unsubscribe = Darse de baja: { $url }

## Cuando la comprobación previa retiene un boletín: correo a la redacción

preflight-letter = El boletín no ha salido: { $title }, { $edition }
    .heading = Retenido: { $edition }
    .text = La comprobación previa ha encontrado algo que no debe enviarse, así que no se ha enviado nada. Se intentará de nuevo en cuanto esté corregido; `gazetted digest open --despite-findings` lo envía de todos modos.
    .red = Hay que corregirlo
    .amber = Podría mejorar
    .because = Recibes esto porque formas parte de la redacción de { $title }.

## Cartas a la redacción

nudge-left = { $days ->
    [0] hoy es el último día
    [1] hoy es el último día
   *[other] quedan { $days } días
  }
nudge-subject = { $title }: { nudge-left }, falta para { $period }: { posts }
nudge-subject-named = { $title }, { $name }: { nudge-left }, falta para { $period }: { posts }
nudge-nearest = Lo más cercano a estar listo
nudge-no-draft = No hay ningún borrador en preparación.
nudge-button = Cómo va el objetivo
editors-because = Recibes esto porque formas parte de la redacción de { $title }; qué se envía y cuándo se decide en [nudge], en su configuración.
closed-subject = { $title }: así terminó { $period }
closed-posts = Publicado
closed-subscribers = Suscripciones
closed-subscribers-text = { $active } { $active ->
    [one] suscripción
   *[other] suscripciones
  }: { $joined } nuevas y { $left } menos durante el mes.

# What editors are asked when an edition waits for their word. $subject: the digest's own; $period: `Mayo de 2021`.
approval-subject = [Vista previa] { $subject }
approval-heading = Una vista previa, solo para la redacción
approval-text = Así saldría ahora el boletín ({ $period }). Nadie lo recibe antes de que alguien de ustedes lo apruebe.
approval-button = Verlo y aprobarlo
approval-reminder = El boletín ({ $period }) sigue esperando
approval-reminder-text = Espera desde hace tres días. Nadie lo recibe antes de que alguien de ustedes lo apruebe.
approval-because = Recibe este mensaje porque figura en la redacción de este boletín.
